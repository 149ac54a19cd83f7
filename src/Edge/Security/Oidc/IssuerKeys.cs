using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// The issuer's signing keys, by its discovery document (https://openid.net/specs/openid-connect-discovery-1_0.html). Read when first needed, every hour, and when a token
/// names a key that is not among them, but then not more than twice a minute. If that fails, the keys from before go on being used.
/// </summary>
internal sealed partial class IssuerKeys : IDisposable
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan ReadAtMostEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);
    private const int LargestDocument = 1 << 20;

    private readonly OidcOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly HttpClient _http;
    private volatile KnownIssuer? _known;
    private long? _triedAt;

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
    /// <param name="missing">A key id that is not among those known.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<KnownIssuer?> GetAsync(string? missing, CancellationToken cancellationToken)
    {
        if (IsGood(missing) is { } known)
            return known;
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            // Who waited before may have read them.
            if (IsGood(missing) is { } read)
                return read;
            if (_triedAt is { } tried && _time.GetElapsedTime(tried) < TryAgainAfter)
                return _known;
            _triedAt = _time.GetTimestamp();
            _known = await ReadAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidDataException or ArgumentException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotRead(e, _options.Authority!);
        }
        finally
        {
            _oneAtATime.Release();
        }
        return _known;
    }

    public void Dispose()
    {
        _http.Dispose();
        _oneAtATime.Dispose();
    }

    private KnownIssuer? IsGood(string? missing)
    {
        if (_known is not { } known)
            return null;
        TimeSpan age = _time.GetElapsedTime(known.ReadAt);
        return age < ReadAtMostEvery || (age < ReadEvery && (missing is null || known.Keys.Any(key => key.KeyId == missing))) ? known : null;
    }

    private async Task<KnownIssuer> ReadAsync(CancellationToken cancellationToken)
    {
        string authority = _options.Authority!.AbsoluteUri.TrimEnd('/');
        using JsonDocument discovery = JsonDocument.Parse(await _http.GetStringAsync(new Uri($"{authority}/.well-known/openid-configuration"), cancellationToken));
        string issuer = Text(discovery, "issuer");
        // Whoever answers for another issuer answers for nobody (section 4.3).
        if (issuer.TrimEnd('/') != authority)
            throw new InvalidDataException($"the discovery document is of the issuer '{issuer}'");
        if (!Uri.TryCreate(Text(discovery, "jwks_uri"), UriKind.Absolute, out Uri? address) || !OidcOptions.IsSafe(address))
            throw new InvalidDataException("the discovery document's jwks_uri is no https URL");
        JsonWebKeySet keys = new(await _http.GetStringAsync(address, cancellationToken));
        return new(issuer, [.. keys.GetSigningKeys()], _time.GetTimestamp());
    }

    private static string Text(JsonDocument document, string name) =>
        document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new InvalidDataException($"the discovery document has no {name}");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keys of the issuer {Authority} could not be read; those known before are used")]
    private partial void LogNotRead(Exception exception, Uri authority);
}

/// <param name="Issuer">As it writes itself into tokens.</param>
/// <param name="ReadAt">Time stamp of the clock.</param>
internal sealed record KnownIssuer(string Issuer, IReadOnlyList<SecurityKey> Keys, long ReadAt);
