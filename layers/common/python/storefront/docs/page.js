
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

// The description's commands are for port 3000. On another port of this computer, they must still work as pasted.
const adaptCommands = (response) => {
  const isLocal = ["127.0.0.1", "localhost"].includes(location.hostname) && location.port !== "3000";
  if (isLocal && response.url?.endsWith("/openapi.json")) {
    response.text = response.text
      .replaceAll("http://127.0.0.1:3000", location.origin)
      .replaceAll(/make pay ORDER=[0-9a-f-]+/g, `$& URL=${location.origin}`);
  }
  return response;
};

SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.json",
  validatorUrl: null,
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  plugins: [storefront],
  responseInterceptor: adaptCommands,
  onComplete: () => setTimeout(showParagraph),
});
