using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Http;

/// <summary>What happens outside the endpoints has the shape of the API that was called, too.</summary>
public sealed class ErrorShapeTests
{
    private const string Anthropic = """{"model":"demo","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}""";
    private const string OpenAI = """{"model":"demo","messages":[{"role":"user","content":"hi"}]}""";

    [Theory]
    [InlineData("/v1/chat/completions", 401, "invalid_request_error", "invalid_api_key")]
    [InlineData("/v1/messages", 401, "authentication_error", null)]
    public async Task AnyPath_NoKey_Unauthorized(string path, int status, string type, string? code)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.TrustLoopback = false);

        using HttpResponseMessage response = await edge.PostAsync(path, "{}");

        await ShouldBeAsync(response, status, type, code);
    }

    [Theory]
    [InlineData("/v1/nothing", 404, "invalid_request_error")]
    [InlineData("/v1/messages/nothing", 404, "not_found_error")]
    public async Task AnyPath_Unknown_NotFound(string path, int status, string type)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, "{}");

        await ShouldBeAsync(response, status, type);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "invalid_request_error")]
    [InlineData("/v1/messages", "invalid_request_error")]
    public async Task AnyPath_WrongMethod_NotAllowed(string path, string type)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path);

        await ShouldBeAsync(response, 405, type);
        response.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "invalid_request_error", "insufficient_permissions")]
    [InlineData("/v1/messages", "permission_error", null)]
    public async Task AnyPath_ForeignHost_Forbidden(string path, string type, string? code)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, "{}", ("Host", "evil.example"));

        await ShouldBeAsync(response, 403, type, code);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "invalid_request_error")]
    [InlineData("/v1/messages", "request_too_large")]
    public async Task AnyPath_LargeBody_TooLarge(string path, string type)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.MaxBodyBytes = 1024);

        using HttpResponseMessage response = await edge.PostAsync(path, new string(' ', 2000));

        await ShouldBeAsync(response, 413, type);
    }

    [Theory]
    [InlineData("/v1/chat/completions", OpenAI, "server_error")]
    [InlineData("/v1/messages", Anthropic, "api_error")]
    public async Task AnyPath_UnexpectedException_RequestIdToTheClient(string path, string body, string type)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Fault = new InvalidOperationException("secret detail");

        using HttpResponseMessage response = await edge.PostAsync(path, body, ("x-request-id", "find-me"));

        (await ShouldBeAsync(response, 500, type)).GetProperty("message").GetString().ShouldBe("internal error (request id find-me)");
    }

    [Theory]
    [InlineData("/v1/chat/completions", OpenAI, 503, "server_error", "service_unavailable")]
    [InlineData("/v1/messages", Anthropic, 529, "overloaded_error", null)]
    public async Task AnyPath_Busy_SaysWhenToTryAgain(string path, string body, int status, string type, string? code)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Fail(JobErrorKind.Busy, "full", TimeSpan.FromSeconds(2.1));

        using HttpResponseMessage response = await edge.PostAsync(path, body);

        await ShouldBeAsync(response, status, type, code);
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData("/v1/chat/completions", OpenAI, "invalid_request_error", "model_not_found")]
    [InlineData("/v1/messages", Anthropic, "not_found_error", null)]
    public async Task AnyPath_UnknownModel_NotFound(string path, string body, string type, string? code)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(path, body.Replace("demo", "nope", StringComparison.Ordinal));

        (await ShouldBeAsync(response, 404, type, code)).GetProperty("message").GetString().ShouldBe("model 'nope' not found");
    }

    /// <returns>The error.</returns>
    private static async Task<JsonElement> ShouldBeAsync(HttpResponseMessage response, int status, string type, string? code = null)
    {
        string text = await response.TextAsync();
        response.StatusCode.ShouldBe((HttpStatusCode)status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        string id = response.Headers.GetValues("x-request-id").ShouldHaveSingleItem();
        JsonElement answer = JsonElement.Parse(text);
        JsonElement error = answer.GetProperty("error");
        error.GetProperty("type").GetString().ShouldBe(type);
        if (response.RequestMessage!.RequestUri!.AbsolutePath.StartsWith("/v1/messages", StringComparison.Ordinal))
        {
            answer.GetProperty("type").GetString().ShouldBe("error");
            answer.GetProperty("request_id").GetString().ShouldBe(id);
            response.Headers.GetValues("request-id").ShouldBe([id]);
        }
        else
        {
            error.EnumerateObject().Select(field => field.Name).ShouldBe(["message", "type", "param", "code"]);
            error.GetProperty("code").GetString().ShouldBe(code);
        }
        return error;
    }
}
