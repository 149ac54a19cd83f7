using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.SignalR;

namespace OllamaMax.Edge.Webhooks;

/// <summary>Sends a notice once, signed as Standard Webhooks has it (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), so that receivers find libraries that check it.</summary>
internal sealed class WebhookSender(IOptions<WebhookOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    /// <summary>A redirect is an answer, and not the one that is wanted: what is signed goes where it was told to go.</summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler { Proxy = EnvironmentProxy.Instance, AllowAutoRedirect = false }) { Timeout = Patience };

    private readonly byte[] _secret = options.Value.SecretBytes;

    /// <summary>Null: it was taken. Otherwise why not, without the address, which may hold a secret.</summary>
    public async Task<string?> TrySendAsync(string url, Notice notice, CancellationToken cancellationToken)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(notice, NoticeJson.Default.Notice);
        long timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        using HttpRequestMessage request = new(HttpMethod.Post, url) { Content = new ByteArrayContent(body) { Headers = { ContentType = Json } } };
        request.Headers.Add("webhook-id", notice.Id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", Sign(_secret, notice.Id, timestamp, body));
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode ? null : $"status {(int)response.StatusCode}";
        }
        catch (HttpRequestException e)
        {
            return e.HttpRequestError.ToString();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {Patience.TotalSeconds} s";
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>HMAC-SHA256 over id, seconds since 1970 and body, with dots between them.</summary>
    internal static string Sign(byte[] secret, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] whole = [.. head, .. body];
        return $"v1,{Convert.ToBase64String(HMACSHA256.HashData(secret, whole))}";
    }
}
