using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Console;

/// <summary>
/// <c>/console</c>, the page for people. It is the same for everybody and so needs no key; what it shows it asks of the public API, with the key that its user gives it.
/// </summary>
internal sealed class ConsoleEndpoints(RandomNumberGenerator random, IServiceProvider services) : IEndpointGroup
{
    private const string Page = "index.html";
    private const string Nonce = "{nonce}";

    /// <summary>Vite's folder for what is named by its content.</summary>
    private const string NamedByContent = "assets/";

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapMethods("/console/{**path}", [HttpMethods.Get, HttpMethods.Head], AnswerAsync).WithMetadata(new AllowAnonymousAttribute())
            .Describe(new(EndpointDescription.Own, "The web console, and its files.") { ContentType = "text/html" });

    private Task AnswerAsync(HttpContext context)
    {
        string path = (string?)context.GetRouteValue("path") ?? "";
        if (path.Length == 0 && context.Request.Path.Value is not [.., '/'])
        {
            // Relative, as all that the page asks for: it may lie behind a prefix.
            context.Response.Redirect("console/");
            return Task.CompletedTask;
        }
        if (!ConsoleFiles.ByName.TryGetValue(path.Length == 0 ? Page : path, out ConsoleFile? file))
            return ErrorAnswer.WriteAsync(context, new(StatusCodes.Status404NotFound, $"the console has no file '{path}'"));
        WriteHeaders(context.Response.Headers);
        return file == ConsoleFiles.ByName[Page] ? WritePageAsync(context, file) : file.WriteAsync(context, path.StartsWith(NamedByContent, StringComparison.Ordinal));
    }

    private static void WriteHeaders(IHeaderDictionary headers)
    {
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
    }

    /// <summary>Small, and another one each time: its policy names a nonce.</summary>
    private async Task WritePageAsync(HttpContext context, ConsoleFile page)
    {
        byte[] bytes = new byte[16];
        random.GetBytes(bytes);
        string nonce = Convert.ToHexString(bytes);
        IHeaderDictionary headers = context.Response.Headers;
        // It shows what models write and holds a key: only its own files run in it, and it talks to this server and to SignalR. What styles it makes itself carry the nonce.
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'{SignalROrigins()}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.CacheControl = "no-store";
        context.Response.ContentType = page.ContentType;
        await context.Response.WriteAsync(Encoding.UTF8.GetString(page.Plain).Replace(Nonce, nonce, StringComparison.Ordinal), context.RequestAborted);
    }

    /// <summary>Where tokens come from directly; nothing where an edge has no cluster.</summary>
    private string SignalROrigins()
    {
        if (services.GetService<SignalRHub>() is not { } hub)
            return "";
        Uri client = new(hub.ClientUrl);
        string secure = client.Scheme == Uri.UriSchemeHttps ? "s" : "";
        return $" http{secure}://{client.Authority} ws{secure}://{client.Authority}";
    }
}
