// The API's description, drawn by Swagger UI from the app's own OpenAPI document.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
