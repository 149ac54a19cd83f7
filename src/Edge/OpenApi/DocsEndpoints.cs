using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenApi;

/// <summary><c>/openapi.json</c>, and <c>/docs</c>, a page to try it: it loads nothing from elsewhere. Both are the same for everybody.</summary>
internal sealed class DocsEndpoints(RandomNumberGenerator random) : IEndpointGroup
{
    private const string Nonce = "{nonce}";

    private static readonly string Version = typeof(DocsEndpoints).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private static readonly Lazy<string> Page = new(() =>
    {
        string name = $"{typeof(DocsEndpoints).Namespace}.docs.html";
        using Stream file = typeof(DocsEndpoints).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The resource {name} is missing.");
        using StreamReader reader = new(file);
        return reader.ReadToEnd();
    });

    public void Map(IEndpointRouteBuilder endpoints)
    {
        string[] methods = [HttpMethods.Get, HttpMethods.Head];
        AllowAnonymousAttribute anonymous = new();
        // Made when first asked for: by then all endpoints are mapped.
        Lazy<byte[]> document = new(() => JsonSerializer.SerializeToUtf8Bytes(OpenApiDocument.Create(endpoints.DataSources.SelectMany(source => source.Endpoints), Version)));
        endpoints.MapMethods("/openapi.json", methods, context => WriteAsync(context, document.Value)).WithMetadata(anonymous)
            .Describe(new(EndpointDescription.Own, "This description."));
        endpoints.MapMethods("/docs", methods, PageAsync).WithMetadata(anonymous)
            .Describe(new(EndpointDescription.Own, "A page to try all of it.") { ContentType = "text/html" });
    }

    private static async Task WriteAsync(HttpContext context, byte[] document)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.Body.WriteAsync(document, context.RequestAborted);
    }

    private Task PageAsync(HttpContext context)
    {
        byte[] bytes = new byte[16];
        random.GetBytes(bytes);
        string nonce = Convert.ToHexString(bytes);
        // The page shows what models write and takes a key: nothing but its own script runs in it, and it talks to this server alone.
        context.Response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(Page.Value.Replace(Nonce, nonce, StringComparison.Ordinal), context.RequestAborted);
    }
}
