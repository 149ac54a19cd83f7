using System.Text.Json;

namespace OllamaMax.Jobs.Records;

/// <summary>A response of OpenAI's <c>/v1/responses</c> that its client can come back to, in the form of that API.</summary>
public sealed record StoredResponse
{
    public int Version { get; init; } = 1;

    /// <summary>As a job's (<see cref="JobId"/>); clients see it behind <c>resp_</c>.</summary>
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The request's settings, as the response repeats them: one object.</summary>
    public required JsonElement Settings { get; init; }

    /// <summary>The request's own items, each with its id; not those of the response that it goes on from.</summary>
    public required IReadOnlyList<JsonElement> Input { get; init; }

    /// <summary>The response that this one goes on from; null: a conversation begins.</summary>
    public string? PreviousId { get; init; }

    /// <summary>The whole response; null where it is a background job's, whose output has it.</summary>
    public JsonElement? Answer { get; init; }

    /// <summary>From then on it is not kept; null: its job knows.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
