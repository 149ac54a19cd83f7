using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace OllamaMax.Edge.Pulls;

/// <summary>What it means that a source does not hand out what it was asked for.</summary>
/// <param name="Asked">Where it began.</param>
/// <param name="Credential">What the server has for that host; null: nothing.</param>
internal sealed record SourceFailure(Uri Asked, SourceCredential? Credential)
{
    private const int LongestReason = 16 << 10;

    /// <summary>Characters of a source's own reason.</summary>
    private const int MostSaid = 300;

    /// <param name="response">Of the source, or of whom it sent to.</param>
    /// <param name="isOfToken">It was asked for a token.</param>
    /// <param name="silence">As <see cref="PullOptions.Silence"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<Exception> OfAsync(HttpResponseMessage response, bool isOfToken, TimeSpan silence, TimeProvider time, CancellationToken cancellationToken)
    {
        Uri address = response.RequestMessage!.RequestUri!;
        int status = (int)response.StatusCode;
        string message = $"{address.Host} answered {status}";
        if (status is >= 400 and < 500 && await ReasonAsync(response, silence, time, cancellationToken) is { } reason)
            message = $"{message}: {reason}";
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when isOfToken || IsOfSource(address):
                return new PullException($"{message.TrimEnd('.')}. {Explain(response.StatusCode)}") { IsRefused = true };
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                return new PullException(message) { IsNotFound = true };
            case HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                return new SourceUnavailableException(message) { RetryAfter = WaitOf(response.Headers.RetryAfter, time) };
            default:
                return new PullException(message);
        }
    }

    /// <summary>Content elsewhere has other reasons to refuse.</summary>
    private bool IsOfSource(Uri address) => address.Authority == Asked.Authority || (HuggingFace.Has(Asked.Host) && HuggingFace.Has(address.Host));

    /// <summary>For whoever pulls, and whoever runs the server.</summary>
    private string Explain(HttpStatusCode status)
    {
        string host = HuggingFace.Has(Asked.Host) ? HuggingFace.Host : Asked.Authority;
        string terms = HuggingFace.PageOf(Asked) is { } page ? $". A gated model's terms are accepted at {page}, by the account that the token is of" : "";
        if (Credential is null)
        {
            string setting = $"{PullOptions.Section.Replace(":", "__", StringComparison.Ordinal)}__Sources__0__";
            string settings = HuggingFace.Has(host)
                ? $"{PullOptions.HuggingFaceSetting}, or {setting}Host={host} and {setting}Token"
                : $"{setting}Host={host} with {setting}Token, or with {setting}User and {setting}Password";
            return $"It is gated or private, or there is none of that name. To pull it the server needs a token of its own for {host}: {settings}{terms}";
        }
        string what = Credential.Bearer is null ? "password" : "token";
        return status == HttpStatusCode.Unauthorized
            ? $"The server's {what} for {host} is not, or no longer, good there: whoever runs the server has to set another"
            : $"The server's {what} for {host} does not reach as far as this model{terms}";
    }

    /// <summary>
    /// What the source itself says of it, as Ollama's registry and Hugging Face do: <c>{"error":"…"}</c> or <c>{"errors":[{"message":"…"}]}</c>; null: nothing short that can be read,
    /// or nothing that is fit to be told.
    /// </summary>
    private async Task<string?> ReasonAsync(HttpResponseMessage response, TimeSpan silence, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(await response.ReadAtMostAsync(LongestReason, silence, time, cancellationToken));
            JsonElement said = json.RootElement;
            if (said.TryGetProperty("errors", out JsonElement errors))
                said = errors[0];
            if (!said.TryGetProperty(said.TryGetProperty("error", out _) ? "error" : "message", out JsonElement text) || text.GetString() is not { Length: > 0 } told)
                return null;
            string reason = string.Concat(told.Where(c => !char.IsControl(c)));
            return IsSecret(reason, response) ? null : reason[..Math.Min(reason.Length, MostSaid)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or PullException or HttpRequestException or IOException or TimeoutException)
        {
            // The status says what is needed to go by.
            return null;
        }
    }

    /// <summary>A source may say what it was shown.</summary>
    private bool IsSecret(string reason, HttpResponseMessage response) => Credential?.IsIn(reason) == true
        || (response.RequestMessage!.Headers.Authorization?.Parameter is { Length: > 0 } shown && reason.Contains(shown, StringComparison.Ordinal));

    private static TimeSpan? WaitOf(RetryConditionHeaderValue? header, TimeProvider time)
    {
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
