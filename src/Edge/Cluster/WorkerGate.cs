using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>Lets workers in and gives them what they may do, each thing for a short while.</summary>
internal sealed class WorkerGate(
    WorkerEnrolments enrolments, ClusterDocuments documents, StorageAccount account, StorageCapabilities storage, JobQueues queues, SignalRHub hub, TimeProvider time)
{
    /// <summary>A captured worker's access ends after this at the latest.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan DefaultJoinLifetime = TimeSpan.FromMinutes(30);
    private const int Longest = 100;

    public async Task<JoinTokenAnswer> CreateJoinTokenAsync(CancellationToken cancellationToken)
    {
        var (token, expiresAt) = await enrolments.CreateJoinTokenAsync(DefaultJoinLifetime, cancellationToken);
        Uri[] addresses = [account.Blobs.Uri, account.Queues.Uri, new(hub.ClientUrl)];
        return new JoinTokenAnswer(token, expiresAt, [.. addresses.Where(address => address.IsLoopback).Select(address => address.Port).Distinct()]);
    }

    public async Task<Result<WorkerCapabilities>> EnrolAsync(string? joinToken, EnrolmentRequest request, CancellationToken cancellationToken)
    {
        if (Refused(request.Version) is { } refused)
            return refused;
        if (request.Name is not { Length: > 0 and <= Longest })
            return ApiError.BadRequest($"name must have 1 to {Longest} characters");
        if (!IsPublicKey(request.PublicKey))
            return ApiError.BadRequest("public_key must be a P-256 key, SubjectPublicKeyInfo in base64");
        EnrolmentRecord? record = joinToken is null
            ? null
            : await enrolments.EnrolAsync(joinToken, request.Name, request.PublicKey, cancellationToken);
        return record is null
            ? new ApiError(401, "the join token is unknown, expired or used already")
            : await IssueAsync(record.Id, [], cancellationToken);
    }

    public async Task<Result<WorkerCapabilities>> RenewAsync(
        string workerId, string? bearer, CapabilityRequest request, CancellationToken cancellationToken)
    {
        if (Refused(request.Version) is { } refused)
            return refused;
        if (request.Models is not { Count: <= CapabilityRequest.MostModels } models || !models.All(ModelDigest.IsValid))
            return ApiError.BadRequest($"models must be at most {CapabilityRequest.MostModels} digests of the form sha256:<64 hex digits>");
        return await AuthenticateAsync(workerId, bearer, cancellationToken) is { } error ? error : await IssueAsync(workerId, models, cancellationToken);
    }

    /// <summary>
    /// Null where the token was signed by this enrolled worker, not long ago. One that is revoked may be enrolled for a moment more (<see cref="WorkerWishes.RevokeAsync"/>): what this edge knows
    /// of that costs no request.
    /// </summary>
    public async Task<ApiError?> AuthenticateAsync(string workerId, string? bearer, CancellationToken cancellationToken) =>
        bearer is not null && !IsRevoked(workerId) && await enrolments.FindAsync(workerId, cancellationToken) is { } record && record.Id == workerId
        && IsPublicKey(record.PublicKey) && await IsSignedByAsync(record, bearer)
            ? null
            : new ApiError(401, "this worker is not enrolled, or its token is not its own");

    private bool IsRevoked(string workerId) => documents.State.Last?.Content.Revoked.ContainsKey(workerId) == true;

    private static ApiError? Refused(int version) =>
        ProtocolVersion.IsCompatible(version) ? null : new ApiError(426, ProtocolVersion.UpgradeMessage(version));

    private async Task<WorkerCapabilities> IssueAsync(string workerId, IReadOnlyList<string> models, CancellationToken cancellationToken)
    {
        DateTimeOffset expiresAt = time.GetUtcNow() + Lifetime;
        Negotiation signalR = hub.Negotiate(Users.Worker(workerId), Lifetime);
        return new WorkerCapabilities
        {
            Version = ProtocolVersion.Current,
            WorkerId = workerId,
            ExpiresAt = expiresAt,
            HeartbeatUrl = await storage.HeartbeatUrlAsync(workerId, expiresAt, cancellationToken),
            ModelsUrl = await storage.ModelsUrlAsync(expiresAt, cancellationToken),
            Queues =
            [
                .. from model in models
                   from band in Enum.GetValues<Band>()
                   select new QueueCapability(model, band, queues.SignedUrl(model, band))
            ],
            SignalRUrl = signalR.Url,
            SignalRToken = signalR.AccessToken,
        };
    }

    private async Task<bool> IsSignedByAsync(EnrolmentRecord record, string token)
    {
        using ECDsa key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(record.PublicKey), out _);
        TokenValidationResult result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = new ECDsaSecurityKey(key),
            // The factory would keep the key's provider beyond the key.
            CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            ValidAudience = WorkerTokens.Audience,
            ValidateIssuer = false,
            LifetimeValidator = (_, expires, _, _) => IsCurrent(expires),
        });
        return result.IsValid
            && result.Claims.TryGetValue(JwtRegisteredClaimNames.Sub, out object? subject)
            && (string)subject == record.Id;
    }

    /// <summary>Boxes' clocks are not this one: what counts is that no token is good for long.</summary>
    private bool IsCurrent(DateTime? expires)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return expires is { } at && at > now - WorkerTokens.ClockSkew && at < now + WorkerTokens.Lifetime + WorkerTokens.ClockSkew;
    }

    private static bool IsPublicKey(string? text)
    {
        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(text ?? ""), out _);
            return key.KeySize == 256;
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return false;
        }
    }
}
