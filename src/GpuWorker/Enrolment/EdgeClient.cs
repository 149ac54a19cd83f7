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
    /// <exception cref="EnrolmentException">The edge refused: trying again is no use.</exception>
    /// <exception cref="HttpRequestException">The edge cannot be reached or failed: trying again may help.</exception>
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
        if (response.IsSuccessStatusCode)
        {
            return await response.Content.ReadFromJsonAsync(answerType, cancellationToken)
                ?? throw new HttpRequestException("the edge's answer is empty");
        }
        string why = await ReadErrorAsync(response, cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.UpgradeRequired or HttpStatusCode.BadRequest)
            throw new EnrolmentException(why);
        throw new HttpRequestException($"the edge answered {(int)response.StatusCode}: {why}", null, response.StatusCode);
    }

    private static async Task<string> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string body = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            using JsonDocument json = JsonDocument.Parse(body);
            if (json.RootElement.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.String)
                return error.GetString()!;
        }
        catch (JsonException)
        {
            // Not the edge's own words, such as a proxy's page: the status says enough.
        }
        return response.ReasonPhrase ?? response.StatusCode.ToString();
    }
}
