"""The course: the lecture taught in ten lessons, with exercises that check themselves."""
