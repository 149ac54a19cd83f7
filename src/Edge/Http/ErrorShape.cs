using System.Buffers;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Anthropic;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.OpenAI;

namespace OllamaMax.Edge.Http;

/// <summary>
/// How one API writes errors. The path says which API was called, so that what never reaches an endpoint (a foreign host, a wrong key, a path that
/// is not there) has the shape that the caller's client reads.
/// </summary>
internal abstract class ErrorShape
{
    /// <summary>Clients of Anthropic's API send it with every request; some of the paths are OpenAI's too.</summary>
    public const string AnthropicVersion = "anthropic-version";

    private static readonly OllamaErrors Ollama = new();
    private static readonly OpenAIErrors OpenAI = new();
    private static readonly AnthropicErrors Anthropic = new();

    public static ErrorShape Of(HttpRequest request)
    {
        if (!request.Path.StartsWithSegments("/v1", StringComparison.Ordinal))
            return Ollama;
        bool isAnthropic = request.Path.StartsWithSegments("/v1/messages", StringComparison.Ordinal) || request.Headers.ContainsKey(AnthropicVersion);
        return isAnthropic ? Anthropic : OpenAI;
    }

    /// <summary>The status that the API's clients know for it.</summary>
    public virtual int StatusOf(ApiError error) => error.Status;

    public abstract void Write(IBufferWriter<byte> output, ApiError error, string requestId);
}
