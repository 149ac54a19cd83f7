using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>
/// The worker's calls to the edge: to be let in, to renew what it may do, and to claim background jobs. Everything else goes over storage and SignalR,
/// so that an edge can sleep.
/// </summary>
internal sealed class EdgeClient(HttpClient http, TimeProvider time)
{
    /// <summary>On every answer of an edge.</summary>
    private const string RequestId = "x-request-id";

    /// <summary>An edge bears twice as much; which of the two clocks is wrong nobody knows.</summary>
    private static readonly TimeSpan ClockTolerance = WorkerTokens.ClockSkew / 2;

    /// <exception cref="EnrolmentException">The edge refused, in its own words: trying again is no use.</exception>
    /// <exception cref="HttpRequestException">The edge cannot be reached or failed, or this box's clock is wrong: trying again may help.</exception>
    public Task<WorkerCapabilities> EnrolAsync(string joinToken, EnrolmentRequest request, CancellationToken cancellationToken) =>
        PostAsync("cluster/enrolments", joinToken, request, ProtocolJson.Default.EnrolmentRequest, ProtocolJson.Default.WorkerCapabilities, cancellationToken);

    /// <inheritdoc cref="EnrolAsync"/>
    public Task<WorkerCapabilities> RenewAsync(WorkerIdentity identity, CapabilityRequest request, CancellationToken cancellationToken) =>
        PostAsync(
            $"cluster/workers/{identity.Id}/capabilities", Sign(identity), request,
            ProtocolJson.Default.CapabilityRequest, ProtocolJson.Default.WorkerCapabilities, cancellationToken);

    /// <summary>Asks to run a background job whose queue message this worker holds.</summary>
    /// <inheritdoc cref="EnrolAsync"/>
    public Task<JobClaimAnswer> ClaimAsync(WorkerIdentity identity, string jobId, JobClaimRequest request, CancellationToken cancellationToken) =>
        PostAsync(
            $"cluster/jobs/{jobId}/claim", Sign(identity), request,
            ProtocolJson.Default.JobClaimRequest, ProtocolJson.Default.JobClaimAnswer, cancellationToken);

    /// <summary>A token of one minute that only this worker can make.</summary>
    private string Sign(WorkerIdentity identity)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Subject = new System.Security.Claims.ClaimsIdentity([new System.Security.Claims.Claim(JwtRegisteredClaimNames.Sub, identity.Id!)]),
            Audience = WorkerTokens.Audience,
            IssuedAt = now,
            Expires = now + WorkerTokens.Lifetime,
            SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(identity.Key), SecurityAlgorithms.EcdsaSha256),
        });
    }

    private async Task<TAnswer> PostAsync<T, TAnswer>(
        string path, string bearer, T body, JsonTypeInfo<T> type, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
        string content = await response.Content.ReadAsStringAsync(cancellationToken);
        if (response.IsSuccessStatusCode)
            return Read(content, answerType);
        string? why = FindOwnWords(response, content);
        bool isClockOff = ClockError(response) > ClockTolerance;
        if (why is not null && IsRefusal(response.StatusCode, isClockOff))
            throw new EnrolmentException(why);
        string clock = isClockOff ? $"; this box's clock is {ClockError(response).TotalMinutes:F0} min off" : "";
        throw new HttpRequestException($"status {(int)response.StatusCode}: {why ?? response.ReasonPhrase}{clock}", null, response.StatusCode);
    }

    private static bool IsRefusal(HttpStatusCode status, bool isClockOff) => status switch
    {
        // What this worker signs by a wrong clock is good as soon as that goes right.
        HttpStatusCode.Unauthorized => !isClockOff,
        HttpStatusCode.Forbidden or HttpStatusCode.UpgradeRequired or HttpStatusCode.BadRequest => true,
        _ => false,
    };

    private TimeSpan ClockError(HttpResponseMessage response) =>
        response.Headers.Date is { } date ? (time.GetUtcNow() - date).Duration() : TimeSpan.Zero;

    /// <exception cref="HttpRequestException">It is not the edge's answer.</exception>
    private static TAnswer Read<TAnswer>(string content, JsonTypeInfo<TAnswer> type)
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new HttpRequestException("the edge's answer is empty");
        }
        catch (JsonException e)
        {
            throw new HttpRequestException("what answered is not the edge", e);
        }
    }

    /// <returns>
    /// Why the edge refused; null where something before it answered, such as a front end whose app is stopped, a firewall or a proxy: what that says of this worker is no judgement.
    /// </returns>
    private static string? FindOwnWords(HttpResponseMessage response, string content)
    {
        if (!response.Headers.Contains(RequestId))
            return null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(content);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.String
                ? error.GetString()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
