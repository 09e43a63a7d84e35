export const latent = { name: "latent", label: "Latent", draw() {} };
