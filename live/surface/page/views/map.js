export const map = { name: "map", label: "Map", draw() {} };
