using System.Security.Cryptography;
using OllamaMax.Inference.Packages;
using OllamaMax.Security;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>
/// The worker's own key pair, made on the box and never leaving it, and the id that it got at enrolment. Both survive restarts:
/// a worker returns under the same identity.
/// </summary>
internal sealed class WorkerIdentity : IDisposable
{
    /// <summary>One whose parent was killed drains for a moment before it ends.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _folder;

    private WorkerIdentity(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        Key = OpenKey();
        // An empty one is what a full disk has left.
        Id = File.Exists(IdFile) && File.ReadAllText(IdFile).Trim() is { Length: > 0 } id ? id : null;
    }

    public ECDsa Key { get; }

    /// <summary>Null before the enrolment.</summary>
    public string? Id { get; private set; }

    /// <summary>SubjectPublicKeyInfo in base64.</summary>
    public string PublicKey => Convert.ToBase64String(Key.ExportSubjectPublicKeyInfo());

    private string KeyFile => Path.Combine(_folder, "worker.key");

    private string IdFile => Path.Combine(_folder, "worker.id");

    /// <exception cref="IdentityException">The folder or what is in it cannot be used.</exception>
    public static WorkerIdentity Open(string folder)
    {
        try
        {
            return new(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new IdentityException($"this box's identity in {folder} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Keeps other processes of this box from working under the identity, until it is disposed of.</summary>
    /// <exception cref="IdentityException">One does so already.</exception>
    public async Task<IDisposable> HoldAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using CancellationTokenSource wait = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await InterProcessLock.AcquireAsync(Path.Combine(_folder, "worker.lock"), static () => { }, time, wait.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new IdentityException($"another worker runs with this box's identity in {_folder}: a second one on this box needs a --data folder and a join token of its own");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"this box's identity in {_folder} cannot be used: {e.Message}", e);
        }
    }

    /// <exception cref="IdentityException">The id cannot be kept.</exception>
    public void Enrolled(string id)
    {
        try
        {
            SecretFile.Write(IdFile, id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"this box was let in as {id}, which cannot be kept in {_folder} ({e.Message}): it needs another join token then", e);
        }
        Id = id;
    }

    public void Dispose() => Key.Dispose();

    private ECDsa OpenKey()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (!File.Exists(KeyFile))
            SecretFile.Write(KeyFile, key.ExportPkcs8PrivateKeyPem());
        else if (File.ReadAllText(KeyFile) is { Length: > 0 } pem)
            key.ImportFromPem(pem);
        else
            throw new CryptographicException("worker.key is empty; without the folder's worker.key and worker.id this box joins anew");
        return key;
    }
}
