// The description of the API, which Swagger UI draws from the app's own OpenAPI document.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
