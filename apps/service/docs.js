// The page of the service, and an example: everything that it knows it asks for by fetch.

/** Ask an address; the answer is an object, a refusal is an Error with its message. */
export async function ask(path, { body, token, method = "POST" } = {}) {
  const response = await send(path, body, token, method);
  return response.headers.get("content-type").startsWith("application/json") ? response.json() : response.text();
}

/** Ask an address that answers with server-sent events; each is given to a function as its name and its data. */
export async function stream(path, { body, token, signal }, onEvent) {
  const response = await send(path, body, token, "POST", signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let waiting = "", end; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    while ((end = waiting.indexOf("\n\n")) >= 0) {
      const [name, data] = waiting.slice(0, end).split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
      waiting = waiting.slice(end + 2);
      onEvent(name, JSON.parse(data));
    }
  }
}

/** Send an object as JSON, or a form with files as it is. */
async function send(path, body, token, method, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const response = await fetch(path, { method, headers, body, signal });
  if (response.ok) return response;
  const { what, allowed, received, remedy } = (await response.json()).error;
  const parts = [what, allowed && `Allowed: ${allowed}`, received && `Received: ${received}`, remedy];
  throw new Error(`${response.status}: ${parts.filter(Boolean).join(". ")}.`);
}

/** An example of a body: what the description names as one, or what a field is without it. */
function exampleOf(schema) {
  const fields = Object.entries(schema.properties).filter(([, field]) => field.examples || field.default != null);
  return Object.fromEntries(fields.map(([name, field]) => [name, field.examples?.[0] ?? field.default]));
}

function sectionOf(path, method, about, schemas) {
  const section = document.getElementById("address").content.cloneNode(true).firstElementChild;
  const find = (selector) => section.querySelector(selector);
  const [status, answer, text] = [find(".status"), find(".answer"), find("textarea")];
  const body = about.requestBody?.content;
  const files = body?.["multipart/form-data"]?.schema;
  const schema = body?.["application/json"].schema;
  section.id = path;
  section.setAttribute("aria-label", path);
  find(".method").textContent = method.toUpperCase();
  find(".path").textContent = path;
  find(".about").textContent = about.description ?? about.summary;
  if (!body || files) find(".body").remove();
  else text.value = JSON.stringify(exampleOf(schemas[schema.$ref.split("/").pop()]), null, 2);
  section.querySelectorAll(".files").forEach((one) => files || one.remove());
  if (!files?.properties.letters) find(".letters")?.remove();

  find("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = document.getElementById("token").value;
    const begun = performance.now();
    status.textContent = "…";
    answer.hidden = false;
    answer.textContent = "";
    try {
      const given = files ? new FormData(event.target) : body && JSON.parse(text.value);
      if (given?.stream) {
        await stream(path, { body: given, token }, (name, data) => {
          answer.textContent += name === "piece" ? data.text : `\n\n${name} ${JSON.stringify(data, null, 2)}`;
        });
      } else {
        const found = await ask(path, { body: given, token, method: method.toUpperCase() });
        answer.textContent = typeof found === "string" ? found : JSON.stringify(found, null, 2);
      }
      status.textContent = `answered in ${Math.round(performance.now() - begun)} ms`;
    } catch (error) {
      status.textContent = "refused";
      answer.textContent = error.message;
    }
  });
  return section;
}

const place = document.getElementById("addresses");
if (place) {
  const api = await ask("openapi.json", { method: "GET" });
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, about] of Object.entries(methods)) {
      place.append(sectionOf(path, method, about, api.components.schemas));
    }
  }
  place.ariaBusy = "false";
}
