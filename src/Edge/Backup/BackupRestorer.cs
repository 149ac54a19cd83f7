using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Replication;
using OllamaMax.Security;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Security;
using OllamaMax.Storage.Workers;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Backup;

/// <summary>
/// Puts a backup back. What it names is afterwards as it says, what it does not name stays. Each step may be done twice: a restore that was cut off is made again. Nothing of the backup's
/// epoch is written: the state is changed under its tag as by any wish, and the months of usage under the epoch that stands here.
/// </summary>
internal sealed class BackupRestorer(
    ClusterDocuments documents, ClusterNudges nudges, WorkerWishes wishes, KeyStore keys, KeyCache cache, WorkerEnrolments enrolments, ModelCatalog catalog, UsageStore usage)
{
    /// <summary>Leaders that follow on each other while the usage is written: more than there ever are.</summary>
    private const int MostTries = 5;

    /// <param name="backup">Read whole, and found good.</param>
    /// <param name="overwrites">Whether what is there and different is replaced. Otherwise a cluster in use is refused, and nothing changes.</param>
    /// <param name="caller">Id of the key that asks: a fresh cluster has that one.</param>
    /// <param name="cancellationToken">Ends it between two steps.</param>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">The state cannot be read.</exception>
    /// <exception cref="CatalogException">Storage cannot be read or written.</exception>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<Result<RestoreAnswer>> RestoreAsync(BackupContent backup, bool overwrites, string? caller, CancellationToken cancellationToken)
    {
        if (!overwrites && await InUseAsync(backup, caller, cancellationToken) is { Length: > 0 } use)
            return InUse(use);
        // Revocations before enrolments: nobody is let in meanwhile who is not to be.
        if ((await RestoreStateAsync(backup.State.Content, overwrites, cancellationToken)).Failed(out ApiError? error, out LeaderDocument<ClusterState>? state))
            return error;
        // Other edges go by it at once, and not by their next listing.
        _ = nudges.SendAsync(state.Version);
        foreach (string worker in backup.State.Content.Revoked.Keys)
            await wishes.ShutOutAsync(worker, cancellationToken);
        List<string> revoked = [];
        foreach (EnrolmentRecord enrolment in backup.Enrolments)
        {
            if (state.Content.Revoked.ContainsKey(enrolment.Id))
                revoked.Add(enrolment.Id);
            else
                await enrolments.PutAsync(enrolment, cancellationToken);
        }
        List<MissingModel> missing = [];
        foreach (ArchivedModel model in backup.Models)
        {
            if (await catalog.RestoreAsync(model, cancellationToken) is { Count: > 0 } blobs)
                missing.Add(new(model.Name.ToString(), [.. blobs.Select(blob => new MissingBlob(blob.Digest, blob.Size))]));
        }
        if (!await RestoreUsageAsync(backup, cancellationToken))
            return new ApiError(503, "leaders follow on each other, and the usage is not written; restore again");
        // Last: a restore that was cut off is made again with the key that began it, and is not refused because of its own keys.
        foreach (KeyRecord key in backup.Keys)
        {
            if (!await RestoreKeyAsync(key, overwrites, cancellationToken))
                return InUse($"key {key.Id}, made meanwhile");
        }
        return Answer(backup, missing, revoked);
    }

    private static RestoreAnswer Answer(BackupContent backup, List<MissingModel> missing, List<string> revoked)
    {
        ClusterState state = backup.State.Content;
        HashSet<string> gone = [.. missing.Select(model => model.Name)];
        return new(
            backup.Header.CreatedAt, backup.Header.EdgeVersion, state.Policies.Count, state.Drains.Count, state.Revoked.Count, backup.Keys.Count,
            backup.Enrolments.Count - revoked.Count, backup.Usage.Count, [.. backup.Models.Select(model => model.Name.ToString()).Where(name => !gone.Contains(name))],
            missing, revoked, backup.Header.LeftOut);
    }

    private static ApiError InUse(string what) =>
        new(409, $"the cluster is in use, and has what the backup has not or has otherwise: {what}. Nothing of it was replaced; ask with overwrite=true to have what the backup names as the backup says");

    /// <summary>Empty where nothing is there that anybody would miss: the models and workers that a fresh local host makes for itself are no use of it.</summary>
    private async Task<string> InUseAsync(BackupContent backup, string? caller, CancellationToken cancellationToken)
    {
        List<string> found = [];
        Dictionary<string, KeyRecord> known = backup.Keys.DistinctBy(key => key.Id).ToDictionary(key => key.Id);
        foreach (KeyRecord key in await keys.ListAsync(cancellationToken))
        {
            bool isCallers = key.Id == caller && !known.ContainsKey(key.Id);
            if (!isCallers && !(known.TryGetValue(key.Id, out KeyRecord? same) && IsSame(same, key, SecurityJson.Default.KeyRecord)))
                found.Add($"key {key.Id}");
        }
        foreach (EnrolmentRecord enrolment in backup.Enrolments)
        {
            if (await enrolments.FindAsync(enrolment.Id, cancellationToken) is { } other && other != enrolment)
                found.Add($"worker {enrolment.Id}");
        }
        foreach (ArchivedModel model in backup.Models)
        {
            if (await catalog.FindManifestAsync(model.Name, cancellationToken) is { } other && !other.ToBytes().AsSpan().SequenceEqual(model.Manifest.ToBytes()))
                found.Add($"model {model.Name}");
        }
        found.AddRange(Differences((await documents.State.ReadAsync(cancellationToken)).Content, backup.State.Content));
        return Shown(found);
    }

    private async Task<Result<LeaderDocument<ClusterState>>> RestoreStateAsync(ClusterState backup, bool overwrites, CancellationToken cancellationToken)
    {
        ClusterCommand.Restore command = new(Guid.NewGuid().ToString("n"), backup);
        string use = "";
        LeaderDocument<ClusterState> state = await documents.State.ChangeAsync(
            before =>
            {
                // Looked at again with each try: somebody may have wished something since.
                use = overwrites ? "" : Shown(Differences(before, backup));
                return use.Length > 0 ? before : before.Apply(command);
            },
            cancellationToken);
        return use.Length > 0 ? InUse(use) : state;
    }

    private async Task<bool> RestoreUsageAsync(BackupContent backup, CancellationToken cancellationToken)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            if (await usage.RestoreAsync((await documents.State.ReadAsync(cancellationToken)).Epoch, backup.Usage, cancellationToken))
                return true;
        }
        return false;
    }

    /// <summary>False: another stands there, made meanwhile.</summary>
    private async Task<bool> RestoreKeyAsync(KeyRecord key, bool overwrites, CancellationToken cancellationToken)
    {
        if (overwrites)
        {
            await keys.PutAsync(key, cancellationToken);
            cache.Forget(key.Id);
            return true;
        }
        try
        {
            await keys.CreateAsync(key, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.Status == 409)
        {
            return await keys.FindAsync(key.Id, known: null, cancellationToken) is { } there && IsSame(there.Record, key, SecurityJson.Default.KeyRecord);
        }
    }

    /// <summary>What stands here and not, or otherwise, in the backup.</summary>
    private IEnumerable<string> Differences(ClusterState here, ClusterState backup) =>
    [
        .. here.Policies.Where(policy => !(backup.Policies.TryGetValue(policy.Key, out ModelPolicy? same) && IsSame(policy.Value, same))).Select(policy => $"policy of {policy.Key}"),
        .. here.Drains.Keys.Except(backup.Drains.Keys).Select(worker => $"drain of {worker}"),
        .. here.Revoked.Keys.Except(backup.Revoked.Keys).Select(worker => $"revocation of {worker}"),
    ];

    private bool IsSame(ModelPolicy one, ModelPolicy other) => Stored(one).AsSpan().SequenceEqual(Stored(other));

    private byte[] Stored(ModelPolicy policy) =>
        documents.State.Write(new(documents.State.Schema, 0, null, null, 0, ClusterState.Empty with { Policies = new Dictionary<string, ModelPolicy> { [""] = policy } }));

    /// <summary>Lists in records are the same only where they are one.</summary>
    private static bool IsSame<T>(T one, T other, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToUtf8Bytes(one, type).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, type));

    private static string Shown(IEnumerable<string> found)
    {
        const int most = 5;
        string[] all = [.. found];
        return string.Join(", ", all.Take(most)) + (all.Length > most ? $" and {all.Length - most} more" : "");
    }
}
