export const show = { name: "show", label: "Show", draw() {} };
