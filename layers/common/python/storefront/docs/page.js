
// What grows above moves the paragraph that the address names.
const showTarget = () => document.getElementById(location.hash.slice(1))?.scrollIntoView();

SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  validatorUrl: null,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  onComplete: () => setTimeout(showTarget),
});
