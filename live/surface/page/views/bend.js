export const bend = { name: "bend", label: "Bend", draw() {} };
