using System.Text.Json.Serialization;

namespace OllamaMax.Security;

/// <summary>What a key or a tenant may use, whichever edges it asks; null: as much as it likes.</summary>
public sealed record UsageLimits
{
    public static readonly UsageLimits None = new();

    /// <summary>Inference requests in a minute of the clock.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and answers; counted when an answer has ended, so that what runs at the time goes beyond it.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>In a day of UTC.</summary>
    public long? TokensPerDay { get; init; }

    /// <summary>In a calendar month of UTC.</summary>
    public long? TokensPerMonth { get; init; }

    /// <summary>Inference requests that are being answered at a time.</summary>
    public int? Concurrent { get; init; }

    [JsonIgnore]
    public bool IsNone => this == None;

    [JsonIgnore]
    public bool HasTokens => (TokensPerMinute ?? TokensPerDay ?? TokensPerMonth) is not null;
}
