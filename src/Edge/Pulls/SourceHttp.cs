using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Asks sources: follows redirects, shows a host what the operator has given for it, and gets the token that a registry asks for. Neither goes to any other authority:
/// content usually lies elsewhere, behind signed addresses.
/// </summary>
internal sealed partial class SourceHttp : IDisposable
{
    private const int MostSteps = 12;
    private const int LongestToken = 64 << 10;

    private readonly PullOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public SourceHttp(IOptions<PullOptions> options, TimeProvider time, ILogger<SourceHttp> logger)
    {
        (_options, _time) = (options.Value, time);
        _http = new HttpClient(new SocketsHttpHandler
        {
            Proxy = EnvironmentProxy.Instance,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(15),
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectCallback = ConnectAsync,
        })
        {
            // Weights take hours where lines are slow: silence is bounded instead.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("OllamaMax", typeof(SourceHttp).Assembly.GetName().Version!.ToString(3)));
        string hosts = string.Join(", ", _options.Sources.Select(source => source.Host));
        if (hosts.Length > 0)
            LogSources(logger, hosts);
    }

    /// <summary>The answer as soon as its headers are there: 200, 206 or 416.</summary>
    /// <exception cref="PullException">It will not be had.</exception>
    /// <exception cref="SourceUnavailableException">Not this time.</exception>
    /// <remarks>Whatever <see cref="SourceRetry.IsPassing"/> names may come out too.</remarks>
    public async Task<HttpResponseMessage> GetAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        Uri address = request.Address;
        // Only of where it began: nobody else's redirect has this server ask there with it.
        SourceFailure failure = new(address, _options.CredentialFor(address));
        AuthenticationHeaderValue? shown = failure.Credential?.Bearer;
        for (int step = 0; step < MostSteps; step++)
        {
            HttpResponseMessage response = await SendAsync(request, address, shown, cancellationToken);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
                return response;
            using (response)
            {
                if (response.Headers.Location is { } location && (int)response.StatusCode is 301 or 302 or 303 or 307 or 308)
                {
                    Uri next = new(address, location);
                    if (next.Scheme != address.Scheme || next.Authority != address.Authority)
                        shown = failure.Credential is { } credential && credential.IsFor(next) ? credential.Bearer : null;
                    address = next;
                }
                else if (response.StatusCode == HttpStatusCode.Unauthorized && shown is null)
                {
                    shown = await AnswerAsync(response, failure, cancellationToken)
                        ?? throw await failure.OfAsync(response, isOfToken: false, _options.Silence, _time, cancellationToken);
                }
                else
                {
                    throw await failure.OfAsync(response, isOfToken: false, _options.Silence, _time, cancellationToken);
                }
            }
        }
        throw new PullException($"{request.Address.Host} sends from one address to the next and never answers");
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(SourceRequest request, Uri address, AuthenticationHeaderValue? shown, CancellationToken cancellationToken)
    {
        if (!_options.Allows(address))
            throw new PullException($"{address.GetLeftPart(UriPartial.Authority)} is not asked: only https is, and http where the server's options say so");
        // A proxy connects by itself: what is written out can be refused here, what it looks up is its own network's to refuse.
        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? literal) && !_options.Allows(address, literal))
            throw NotPublic(address.Host);
        using HttpRequestMessage message = new(HttpMethod.Get, address);
        if (request.Accept is not null)
            message.Headers.Accept.ParseAdd(request.Accept);
        message.Headers.Authorization = shown;
        if (request.From > 0)
        {
            message.Headers.Range = new(request.From, null);
            if (request.Validator is not null)
                message.Headers.TryAddWithoutValidation("If-Range", request.Validator);
        }
        try
        {
            return await Silence.LimitAsync(
                limited => _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limited), _options.Silence, _time, cancellationToken);
        }
        catch (HttpRequestException e) when (e.InnerException is PullException refused)
        {
            throw new PullException(refused.Message, e);
        }
    }

    /// <summary>Connects to what a name means now, and not to what it meant when somebody looked: to addresses that may be asked only.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        DnsEndPoint to = context.DnsEndPoint;
        Uri asked = context.InitialRequestMessage.RequestUri!;
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(to.Host, to.AddressFamily, cancellationToken);
        // Otherwise it is the proxy's address, which nobody who pulls has chosen.
        if (to.Host == asked.IdnHost && to.Port == asked.Port)
        {
            addresses = Array.FindAll(addresses, address => _options.Allows(asked, address));
            if (addresses.Length == 0)
                throw NotPublic(asked.Host);
        }
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, to.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static PullException NotPublic(string host) =>
        new($"{host} is not asked: it has no public address, and the server's options do not name it");

    /// <summary>What a challenge is answered with; null: there is nothing to answer.</summary>
    private async Task<AuthenticationHeaderValue?> AnswerAsync(HttpResponseMessage response, SourceFailure failure, CancellationToken cancellationToken)
    {
        Uri address = response.RequestMessage!.RequestUri!;
        BearerChallenge? challenge = BearerChallenge.Find(response);
        SourceCredential? credential = failure.Credential?.IsFor(address) == true ? failure.Credential : null;
        if (credential?.Basic is { } basic && (challenge is null || !credential.GetsTokensAt(challenge.Realm)))
        {
            if (response.Headers.WwwAuthenticate.Any(header => string.Equals(header.Scheme, basic.Scheme, StringComparison.OrdinalIgnoreCase)))
                return basic;
            if (challenge is not null)
                throw new PullException($"{address.Host} sends to {challenge.Realm.Authority} for a token, which is not shown the server's password: no TokenHost of {PullOptions.Section}:Sources says so");
        }
        return challenge is null ? null : new("Bearer", await GetTokenAsync(challenge, credential?.Basic, failure, cancellationToken));
    }

    private async Task<string> GetTokenAsync(BearerChallenge challenge, AuthenticationHeaderValue? shown, SourceFailure failure, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new(challenge.Address), challenge.Address, shown, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw await failure.OfAsync(response, isOfToken: true, _options.Silence, _time, cancellationToken);
        byte[] body = await response.ReadAtMostAsync(LongestToken, _options.Silence, _time, cancellationToken);
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            foreach (string name in (ReadOnlySpan<string>)["token", "access_token"])
            {
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out JsonElement value)
                    && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } token && token.All(c => c is > ' ' and <= '~'))
                    return token;
            }
        }
        catch (JsonException e)
        {
            throw new PullException($"{challenge.Realm.Host} answered no token", e);
        }
        throw new PullException($"{challenge.Realm.Host} answered no token");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Models are pulled with what is set for {Hosts}")]
    private static partial void LogSources(ILogger logger, string hosts);
}

/// <param name="Address">Where it begins; redirects may lead on.</param>
/// <param name="Accept">Media types that are understood; null: any.</param>
/// <param name="From">The first byte that is wanted.</param>
/// <param name="Validator">The version that a part is wanted of; of another one the whole comes.</param>
internal sealed record SourceRequest(Uri Address, string? Accept = null, long From = 0, string? Validator = null);
