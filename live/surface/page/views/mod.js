export const mod = { name: "mod", label: "Mod", draw() {} };
