using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// The issuer's signing keys, by its discovery document (https://openid.net/specs/openid-connect-discovery-1_0.html). Read when first needed, every hour, and when a token
/// names a key that is not among them, but then not more than twice a minute. Meanwhile, and if that fails, the keys from before go on being used.
/// </summary>
internal sealed partial class IssuerKeys : IDisposable
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan ReadAtMostEvery = TimeSpan.FromSeconds(30);

    /// <summary>Of an edge that nobody has asked for long: its issuer may have taken back the keys that it knows.</summary>
    private static readonly TimeSpan WaitedForAfter = TimeSpan.FromHours(2);

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);
    private const int LargestDocument = 1 << 20;

    private readonly OidcOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly HttpClient _http;
    private volatile KnownIssuer? _known;
    private volatile Failure? _failure;
    private Task _reading = Task.CompletedTask;

    public IssuerKeys(IOptions<OidcOptions> options, TimeProvider time, ILogger<IssuerKeys> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        _http = new HttpClient(new SocketsHttpHandler { Proxy = EnvironmentProxy.Instance, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = LargestDocument,
        };
    }

    /// <summary>Null: they are not known, and the issuer does not say.</summary>
    /// <param name="keyId">Of the key that is looked for; null: any.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<KnownIssuer?> GetAsync(string? keyId, CancellationToken cancellationToken)
    {
        if (IsGood(keyId) is { } good)
            return good;
        Task reading = Reading(keyId);
        // An issuer that is slow, or out of order, holds nobody up whose key is known.
        if (_known is { } known && known.Has(keyId) && (_failure is not null || _time.GetElapsedTime(known.ReadAt) < WaitedForAfter))
            return known;
        await reading.WaitAsync(cancellationToken);
        return _known;
    }

    public void Dispose() => _http.Dispose();

    private KnownIssuer? IsGood(string? keyId)
    {
        if (_known is not { } known)
            return null;
        TimeSpan age = _time.GetElapsedTime(known.ReadAt);
        return age < ReadAtMostEvery || (age < ReadEvery && known.Has(keyId)) ? known : null;
    }

    /// <summary>The one reading that is under way, begun now where there is none and it is not too soon after one that failed.</summary>
    private Task Reading(string? keyId)
    {
        lock (_lock)
        {
            bool isEnough = !_reading.IsCompleted || IsGood(keyId) is not null || (_failure is { } failure && _time.GetElapsedTime(failure.At) < TryAgainAfter);
            return isEnough ? _reading : _reading = TryReadAsync();
        }
    }

    /// <summary>In nobody's name: who leaves does not end it for the others.</summary>
    private async Task TryReadAsync()
    {
        try
        {
            _known = await ReadAsync();
            _failure = null;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidDataException or ArgumentException or OperationCanceledException)
        {
            _failure = new(_time.GetTimestamp());
            LogNotRead(e, _options.Authority!);
        }
    }

    private async Task<KnownIssuer> ReadAsync()
    {
        string authority = _options.Authority!.AbsoluteUri.TrimEnd('/');
        using JsonDocument discovery = JsonDocument.Parse(await _http.GetStringAsync(new Uri($"{authority}/.well-known/openid-configuration")));
        string issuer = Text(discovery, "issuer");
        // Whoever answers for another issuer answers for nobody (section 4.3).
        if (issuer.TrimEnd('/') != authority)
            throw new InvalidDataException($"the discovery document is of the issuer '{issuer}'");
        if (!Uri.TryCreate(Text(discovery, "jwks_uri"), UriKind.Absolute, out Uri? address) || !OidcOptions.IsSafe(address))
            throw new InvalidDataException("the discovery document's jwks_uri is no https URL");
        JsonWebKeySet keys = new(await _http.GetStringAsync(address));
        return new(issuer, [.. keys.GetSigningKeys()], _time.GetTimestamp());
    }

    private static string Text(JsonDocument document, string name) =>
        document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new InvalidDataException($"the discovery document has no {name}");

    private sealed record Failure(long At);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keys of the issuer {Authority} could not be read; those known before are used")]
    private partial void LogNotRead(Exception exception, Uri authority);
}

/// <param name="Issuer">As it writes itself into tokens.</param>
/// <param name="ReadAt">Time stamp of the clock.</param>
internal sealed record KnownIssuer(string Issuer, IReadOnlyList<SecurityKey> Keys, long ReadAt)
{
    /// <param name="keyId">Null: any.</param>
    public bool Has(string? keyId) => keyId is null || Keys.Any(key => key.KeyId == keyId);
}
