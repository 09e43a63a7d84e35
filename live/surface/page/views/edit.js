export const edit = { name: "edit", label: "Edit", draw() {} };
