export const studio = { name: "studio", label: "Studio", draw() {} };
