using System.Collections.Concurrent;
using Azure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Tenants;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Limits;

/// <summary>The limits of keys, of users of an issuer, and of tenants by configuration, as this edge keeps them (<see cref="LimitAccount"/>). Who has none costs nothing.</summary>
internal sealed partial class LimitBook(
    UseStore store, EdgeIdentity edge, IOptions<TenantOptions> tenants, TimeProvider time, ILogger<LimitBook> logger)
    : PeriodicFlush(FlushEvery, time)
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, LimitAccount> _accounts = [];
    private readonly ConcurrentDictionary<string, UsageLimits> _tenants = [];

    /// <summary>Null where nothing limits the principal; otherwise whether it is let in, and if so to be disposed when its request is answered.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async ValueTask<AdmittedRequest?> AdmitAsync(Principal principal, CancellationToken cancellationToken)
    {
        UsageLimits ofTenant = LimitsOf(principal.Tenant);
        LimitAccount? key = principal is { Credential: { } id, Limits.IsNone: false } ? AccountOf(OfKey(id)) : null;
        LimitAccount? tenant = ofTenant.IsNone ? null : AccountOf(OfTenant(principal.Tenant));
        if (key is null && tenant is null)
            return null;
        Admission admission = key is null ? Admission.Unlimited : await key.AdmitAsync(principal.Limits, cancellationToken);
        if (tenant is null || admission.Refusal is not null)
            return new(admission, key, null);
        try
        {
            Admission also = await tenant.AdmitAsync(ofTenant, cancellationToken);
            if (also.Refusal is not null && key is not null)
                await key.UndoAsync(principal.Limits);
            return new(admission.And(also), key, tenant);
        }
        catch when (key is not null)
        {
            key.Leave();
            throw;
        }
    }

    /// <summary>
    /// Of a job that is made in the name of who asked for it before: the limit of tokens, the key's or the tenant's, that is used up by now; null: none is. It is no request, so the other
    /// limits say nothing of it.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async ValueTask<LimitRefusal?> OutOfTokensAsync(Principal principal, CancellationToken cancellationToken)
    {
        if (principal is { Credential: { } id, Limits.HasTokens: true } && await AccountOf(OfKey(id)).OutOfTokensAsync(principal.Limits, cancellationToken) is { } refusal)
            return refusal;
        UsageLimits ofTenant = LimitsOf(principal.Tenant);
        return ofTenant.HasTokens ? await AccountOf(OfTenant(principal.Tenant)).OutOfTokensAsync(ofTenant, cancellationToken) : null;
    }

    /// <summary>Counts what a job has come to.</summary>
    /// <param name="limits">Those of the key or the user; what has no limit of tokens is not counted.</param>
    public void Spend(string tenant, string credential, UsageLimits limits, long tokens)
    {
        if (limits.HasTokens)
            AccountOf(OfKey(credential)).Spend(tokens);
        if (LimitsOf(tenant).HasTokens)
            AccountOf(OfTenant(tenant)).Spend(tokens);
    }

    /// <summary>Tells storage what this edge has let in; once a second in the background.</summary>
    /// <param name="all">Also what need not be told yet.</param>
    public async Task FlushAsync(bool all, CancellationToken cancellationToken)
    {
        using CancellationTokenSource silence = new(StoragePatience.Usual, Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        foreach (var (subject, account) in _accounts)
        {
            // Its requests wait meanwhile, even those that need no storage.
            silence.CancelAfter(StoragePatience.Usual);
            try
            {
                await account.FlushAsync(all, either.Token);
                if (account.IsIdle(ForgottenAfter))
                    _accounts.TryRemove(subject, out _);
            }
            catch (Exception e) when (e is InvalidOperationException or InvalidDataException || StorageFailure.Is(e, cancellationToken))
            {
                LogNotTold(e, subject);
                if (silence.IsCancellationRequested)
                    return;
            }
        }
    }

    protected override Task TryFlushAsync(bool last, CancellationToken cancellationToken) => FlushAsync(all: last, cancellationToken);

    /// <param name="id">Of the key, or the subject of a token.</param>
    private static string OfKey(string id) => $"key:{id}";

    private static string OfTenant(string tenant) => $"tenant:{tenant}";

    private UsageLimits LimitsOf(string tenant) => _tenants.GetOrAdd(tenant, static (name, options) => options.Of(name).Usage, tenants.Value);

    private LimitAccount AccountOf(string subject) => _accounts.GetOrAdd(subject, static (name, book) => new(name, book.EdgeId, book.Store, book.Time), this);

    private string EdgeId => edge.Id;

    private UseStore Store => store;

    [LoggerMessage(Level = LogLevel.Warning, Message = "What {Subject} has used could not be told to the other edges; later again")]
    private partial void LogNotTold(Exception exception, string subject);
}

/// <summary>A request that limits count; disposed when it has been answered.</summary>
internal sealed class AdmittedRequest(Admission admission, LimitAccount? key, LimitAccount? tenant) : IDisposable
{
    public Admission Admission => admission;

    public void Dispose()
    {
        if (admission.Refusal is not null)
            return;
        key?.Leave();
        tenant?.Leave();
    }
}
