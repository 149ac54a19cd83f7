using OllamaMax.Streaming;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Serialization.Metadata;

namespace OllamaMax.SignalR;

/// <summary>
/// Calls the service's data plane (REST, version 2022-06-01) over one pool of kept-alive connections. Retries nothing:
/// how long a message stays worth sending is the caller's knowledge.
/// </summary>
public sealed class SignalRSender : IDisposable
{
    private const string Version = "?api-version=2022-06-01";
    private const int MaxDetail = 500;
    private static readonly MediaTypeHeaderValue s_json = new("application/json") { CharSet = "utf-8" };
    private static readonly TimeSpan s_defaultRetryAfter = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private long _sentUnits;

    public SignalRSender(TimeProvider time)
    {
        _time = time;
        _http = new HttpClient(new SocketsHttpHandler
        {
            Proxy = EnvironmentProxy.Instance,
            // Connections are renewed so that a moved endpoint is noticed.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseCookies = false,
            AllowAutoRedirect = false,
        })
        {
            Timeout = TimeSpan.FromSeconds(15),
        };
    }

    /// <summary>Bytes of a message that are billed as one; a message of more counts as several.</summary>
    public const int BilledBytes = 2048;

    /// <summary>What was taken so far, in messages as they are billed, each for one receiver.</summary>
    public long SentUnits => Interlocked.Read(ref _sentUnits);

    /// <summary>Sends one message with one argument to whom <paramref name="to"/> names.</summary>
    /// <exception cref="OperationCanceledException">Only for <paramref name="cancellationToken"/>.</exception>
    public async Task<SendOutcome> SendAsync<T>(
        ReplyCapability to, string target, T argument, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> message = SignalRMessage.Write(target, argument, type);
        ReadOnlyMemoryContent content = new(message);
        content.Headers.ContentType = s_json;
        SendOutcome outcome = await CallAsync(HttpMethod.Post, to.Url, to.Token, content, cancellationToken).ConfigureAwait(false);
        if (outcome is SendOutcome.Sent)
            Interlocked.Add(ref _sentUnits, Units(message.Length));
        return outcome;
    }

    /// <summary>As how many messages one of so many bytes is billed.</summary>
    public static long Units(int bytes) => Math.Max(1, (bytes + BilledBytes - 1) / BilledBytes);

    public void Dispose() => _http.Dispose();

    internal async Task<SendOutcome> CallAsync(
        HttpMethod method, string url, string token, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, url + Version) { Content = content };
        request.Headers.Authorization = new("Bearer", token);
        try
        {
            using HttpResponseMessage response = await _http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
            return response.IsSuccessStatusCode
                ? SendOutcome.Sent.Instance
                : await ReadFailureAsync(response, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new SendOutcome.Unreachable(e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SendOutcome.Unreachable($"No answer within {_http.Timeout.TotalSeconds:0} s.");
        }
    }

    private async Task<SendOutcome> ReadFailureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.TooManyRequests)
            return new SendOutcome.Throttled(ReadRetryAfter(response.Headers.RetryAfter));
        string detail = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        return new SendOutcome.Failed(response.StatusCode, detail.Length > MaxDetail ? detail[..MaxDetail] : detail);
    }

    private TimeSpan ReadRetryAfter(RetryConditionHeaderValue? header)
    {
        TimeSpan after = header?.Delta ?? header?.Date - _time.GetUtcNow() ?? s_defaultRetryAfter;
        return after > TimeSpan.Zero ? after : TimeSpan.Zero;
    }
}
