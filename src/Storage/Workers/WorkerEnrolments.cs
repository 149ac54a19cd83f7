using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>Join tokens and who came in with them: <c>cluster/join-tokens/{hash}</c> and <c>cluster/enrolments/{id}</c>.</summary>
public sealed class WorkerEnrolments(StorageAccount account, TimeProvider time)
{
    internal const string JoinTokens = "join-tokens/";
    private const string TokenPrefix = "omxj_";
    private const string Enrolments = "enrolments/";

    /// <summary>Makes a token that lets one worker in. Only its hash is stored.</summary>
    public async Task<(string Token, DateTimeOffset ExpiresAt)> CreateJoinTokenAsync(TimeSpan lifetime, CancellationToken cancellationToken)
    {
        string token = TokenPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var record = new JoinTokenRecord(time.GetUtcNow() + lifetime);
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.JoinTokenRecord);
        await TokenBlob(token).UploadAsync(new BinaryData(json), cancellationToken);
        return (token, record.ExpiresAt);
    }

    /// <summary>Uses a token up and enrols the worker; null when the token is unknown, expired or used.</summary>
    public async Task<EnrolmentRecord?> EnrolAsync(string token, string name, string publicKey, CancellationToken cancellationToken)
    {
        if (!await UseUpAsync(token, cancellationToken))
            return null;
        string id = WorkerId.New();
        var record = new EnrolmentRecord(id, name, publicKey, time.GetUtcNow());
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.EnrolmentRecord);
        await EnrolmentBlob(id).UploadAsync(new BinaryData(json), cancellationToken);
        return record;
    }

    /// <summary>Null when no such worker is enrolled; what stands under its name must be of it, too.</summary>
    public async Task<EnrolmentRecord?> FindAsync(string workerId, CancellationToken cancellationToken)
    {
        if (!WorkerId.IsValid(workerId))
            return null;
        try
        {
            BlobDownloadResult blob = await EnrolmentBlob(workerId).DownloadContentAsync(cancellationToken);
            return JsonSerializer.Deserialize(blob.Content, ProtocolJson.Default.EnrolmentRecord) is { PublicKey.Length: > 0 } record && record.Id == workerId ? record : null;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Everybody who is enrolled.</summary>
    public async Task<IReadOnlyList<EnrolmentRecord>> ListAsync(CancellationToken cancellationToken)
    {
        List<EnrolmentRecord> all = [];
        await foreach (string id in ListIdsAsync(cancellationToken))
        {
            // One that was deleted since is none.
            if (await FindAsync(id, cancellationToken) is { } record)
                all.Add(record);
        }
        return all;
    }

    /// <summary>The ids of everybody who is enrolled: a listing, and nothing is read.</summary>
    public IAsyncEnumerable<string> ListIdsAsync(CancellationToken cancellationToken) =>
        Cluster.GetBlobsAsync(new GetBlobsOptions { Prefix = Enrolments }, cancellationToken).Select(blob => blob.Name[Enrolments.Length..]);

    /// <summary>Enrols one that was enrolled before, whatever stood under its id.</summary>
    /// <exception cref="ArgumentException">Its id is none (<see cref="WorkerId"/>).</exception>
    public Task PutAsync(EnrolmentRecord record, CancellationToken cancellationToken) =>
        EnrolmentBlob(record.Id).UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.EnrolmentRecord)), overwrite: true, cancellationToken);

    /// <summary>The worker is a stranger from now on.</summary>
    public async Task DeleteAsync(string workerId, CancellationToken cancellationToken)
    {
        // A revocation may name what was listed under another form of id: that was never enrolled.
        if (WorkerId.IsValid(workerId))
            await EnrolmentBlob(workerId).DeleteIfExistsAsync(cancellationToken: cancellationToken);
    }

    private async Task<bool> UseUpAsync(string token, CancellationToken cancellationToken)
    {
        if (!token.StartsWith(TokenPrefix, StringComparison.Ordinal))
            return false;
        BlobClient blob = TokenBlob(token);
        try
        {
            BlobDownloadResult found = await blob.DownloadContentAsync(cancellationToken);
            // Of two that come with one token, the one whose delete succeeds has used it.
            await blob.DeleteAsync(DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = found.Details.ETag }, cancellationToken);
            JoinTokenRecord? record = JsonSerializer.Deserialize(found.Content, ProtocolJson.Default.JoinTokenRecord);
            return record is not null && record.ExpiresAt > time.GetUtcNow();
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return false;
        }
    }

    private BlobClient TokenBlob(string token) =>
        Cluster.GetBlobClient(JoinTokens + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))));

    private BlobClient EnrolmentBlob(string id) => Cluster.GetBlobClient(Enrolments + WorkerId.Checked(id));

    private BlobContainerClient Cluster => account.Blobs.GetBlobContainerClient(Containers.Cluster);
}
