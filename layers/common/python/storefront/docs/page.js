
// An address with "#/" opens an operation, which is Swagger UI's part. Any other names a problem's paragraph. Swagger UI
// grows above the paragraph and moves it.
const showParagraph = () => document.getElementById(location.hash.slice(1))?.scrollIntoView();

// Each field in Swagger UI's form takes the focus, so the last one has it. The token is first.
const focusToken = () => {
  document.querySelector(".auth-container input")?.focus();
  document.querySelector(".modal-ux-content")?.scrollTo(0, 0);
};

const storefront = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        showDefinitions: (show) => (definitions) => {
          setTimeout(focusToken);
          return show(definitions);
        },
      },
    },
    layout: {
      wrapActions: {
        parseDeepLinkHash: (parse) => (hash) => (hash.startsWith("#/") ? parse(hash) : () => {}),
      },
    },
  },
});

SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  plugins: [storefront],
  onComplete: () => setTimeout(showParagraph),
});
