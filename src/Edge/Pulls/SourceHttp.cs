using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Asks sources: follows redirects, and gets the token that a registry asks for. A token goes to nobody but the authority that asked for it:
/// content usually lies elsewhere, behind signed addresses.
/// </summary>
internal sealed class SourceHttp : IDisposable
{
    private const int MostSteps = 12;
    private const int LongestToken = 64 << 10;
    private const int LongestReason = 16 << 10;

    /// <summary>Characters of a source's own reason.</summary>
    private const int MostSaid = 300;

    private readonly PullOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public SourceHttp(IOptions<PullOptions> options, TimeProvider time)
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
    }

    /// <summary>The answer as soon as its headers are there: 200, 206 or 416.</summary>
    /// <exception cref="PullException">It will not be had.</exception>
    /// <exception cref="SourceUnavailableException">Not this time.</exception>
    /// <remarks>Whatever <see cref="SourceRetry.IsPassing"/> names may come out too.</remarks>
    public async Task<HttpResponseMessage> GetAsync(SourceRequest request, CancellationToken cancellationToken)
    {
        Uri address = request.Address;
        string? token = null;
        for (int step = 0; step < MostSteps; step++)
        {
            HttpResponseMessage response = await SendAsync(request, address, token, cancellationToken);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
                return response;
            using (response)
            {
                if (response.Headers.Location is { } location && (int)response.StatusCode is 301 or 302 or 303 or 307 or 308)
                {
                    Uri next = new(address, location);
                    if (next.Scheme != address.Scheme || next.Authority != address.Authority)
                        token = null;
                    address = next;
                }
                else if (response.StatusCode == HttpStatusCode.Unauthorized && token is null && BearerChallenge.Find(response) is { } challenge)
                {
                    token = await GetTokenAsync(challenge, cancellationToken);
                }
                else
                {
                    throw await FailureAsync(response, address, cancellationToken);
                }
            }
        }
        throw new PullException($"{request.Address.Host} sends from one address to the next and never answers");
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(SourceRequest request, Uri address, string? token, CancellationToken cancellationToken)
    {
        if (!_options.Allows(address))
            throw new PullException($"{address.GetLeftPart(UriPartial.Authority)} is not asked: only https is, and http where the server's options say so");
        // A proxy connects by itself: what is written out can be refused here, what it looks up is its own network's to refuse.
        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? literal) && !_options.Allows(address, literal))
            throw NotPublic(address.Host);
        using HttpRequestMessage message = new(HttpMethod.Get, address);
        if (request.Accept is not null)
            message.Headers.Accept.ParseAdd(request.Accept);
        if (token is not null)
            message.Headers.Authorization = new("Bearer", token);
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

    private async Task<string> GetTokenAsync(BearerChallenge challenge, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new(challenge.Address), challenge.Address, null, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            throw await FailureAsync(response, challenge.Address, cancellationToken);
        byte[] body = await response.ReadAtMostAsync(LongestToken, _options.Silence, _time, cancellationToken);
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            foreach (string name in (ReadOnlySpan<string>)["token", "access_token"])
            {
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out JsonElement value)
                    && value.ValueKind == JsonValueKind.String)
                    return value.GetString()!;
            }
        }
        catch (JsonException e)
        {
            throw new PullException($"{challenge.Realm.Host} answered no token", e);
        }
        throw new PullException($"{challenge.Realm.Host} answered no token");
    }

    private async Task<Exception> FailureAsync(HttpResponseMessage response, Uri address, CancellationToken cancellationToken)
    {
        int status = (int)response.StatusCode;
        string message = $"{address.Host} answered {status}";
        if (status is >= 400 and < 500 && await ReasonAsync(response, cancellationToken) is { } reason)
            message = $"{message}: {reason}";
        return status switch
        {
            404 or 410 => new PullException(message) { IsNotFound = true },
            408 or 425 or 429 or >= 500 => new SourceUnavailableException(message) { RetryAfter = WaitOf(response.Headers.RetryAfter) },
            _ => new PullException(message),
        };
    }

    /// <summary>What the source itself says of it, as Ollama's registry and Hugging Face do: <c>{"error":"…"}</c> or <c>{"errors":[{"message":"…"}]}</c>; null: nothing short that can be read.</summary>
    private async Task<string?> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(await response.ReadAtMostAsync(LongestReason, _options.Silence, _time, cancellationToken));
            JsonElement said = json.RootElement;
            if (said.TryGetProperty("errors", out JsonElement errors))
                said = errors[0];
            return said.TryGetProperty(said.TryGetProperty("error", out _) ? "error" : "message", out JsonElement text) && text.GetString() is { Length: > 0 } reason
                ? string.Concat(reason.Where(c => !char.IsControl(c)).Take(MostSaid))
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or PullException or HttpRequestException or IOException or TimeoutException)
        {
            // The status says what is needed to go by.
            return null;
        }
    }

    private TimeSpan? WaitOf(RetryConditionHeaderValue? header)
    {
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}

/// <param name="Address">Where it begins; redirects may lead on.</param>
/// <param name="Accept">Media types that are understood; null: any.</param>
/// <param name="From">The first byte that is wanted.</param>
/// <param name="Validator">The version that a part is wanted of; of another one the whole comes.</param>
internal sealed record SourceRequest(Uri Address, string? Accept = null, long From = 0, string? Validator = null);
