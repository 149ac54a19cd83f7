using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;

namespace OllamaMax.Edge.OpenApi;

/// <summary>What <c>/openapi.json</c> says of an endpoint besides its route; endpoint metadata, written where the endpoint is mapped.</summary>
/// <param name="Api">Whose it is: <see cref="Ollama"/>, <see cref="OpenAI"/>, <see cref="Anthropic"/> or <see cref="Own"/>.</param>
/// <param name="Summary">What it does, in a line.</param>
internal sealed record EndpointDescription(string Api, string Summary)
{
    public const string Ollama = "Ollama";
    public const string OpenAI = "OpenAI";
    public const string Anthropic = "Anthropic";
    public const string Own = "OllamaMax";

    /// <summary>Between this system's own programs: not part of what clients are told.</summary>
    public static EndpointDescription Internal { get; } = new("", "");

    /// <summary>Name of the body's schema in schemas.json; null: it has none.</summary>
    public string? Body { get; init; }

    /// <summary>Name of the answer's schema in schemas.json; null: that of <see cref="AnswerType"/>, or none.</summary>
    public string? Answer { get; init; }

    /// <summary>What the answer is made of where it is no inference: its schema follows from it.</summary>
    public JsonTypeInfo? AnswerType { get; init; }

    /// <summary>Status of the answer.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Content type of a streamed answer; null: there is none.</summary>
    public string? Stream { get; init; }

    /// <summary>Content type of the answer.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>Whether it takes an <c>Idempotency-Key</c>.</summary>
    public bool TakesKey { get; init; }

    /// <summary>The query's parameters and what they mean.</summary>
    public IReadOnlyList<(string Name, string Meaning)> Query { get; init; } = [];
}

internal static class EndpointDescriptionExtensions
{
    public static TBuilder Describe<TBuilder>(this TBuilder endpoint, EndpointDescription description)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(description);
}
