using System.Numerics;
using System.Text.Json.Serialization;

namespace OllamaMax.Security;

/// <summary>What a key, a user of an issuer or a tenant may use, whichever edges it asks; null: as much as it likes.</summary>
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

    /// <summary>These, and what is not limited here as <paramref name="others"/> limit it.</summary>
    public UsageLimits Or(UsageLimits others) => new()
    {
        RequestsPerMinute = RequestsPerMinute ?? others.RequestsPerMinute,
        TokensPerMinute = TokensPerMinute ?? others.TokensPerMinute,
        TokensPerDay = TokensPerDay ?? others.TokensPerDay,
        TokensPerMonth = TokensPerMonth ?? others.TokensPerMonth,
        Concurrent = Concurrent ?? others.Concurrent,
    };

    /// <summary>Of each limit the higher one, which is none where either has none.</summary>
    public UsageLimits OrMore(UsageLimits other) => new()
    {
        RequestsPerMinute = More(RequestsPerMinute, other.RequestsPerMinute),
        TokensPerMinute = More(TokensPerMinute, other.TokensPerMinute),
        TokensPerDay = More(TokensPerDay, other.TokensPerDay),
        TokensPerMonth = More(TokensPerMonth, other.TokensPerMonth),
        Concurrent = More(Concurrent, other.Concurrent),
    };

    private static T? More<T>(T? one, T? other)
        where T : struct, INumber<T> => one is { } a && other is { } b ? T.Max(a, b) : null;
}
