using System.Security.Cryptography;

namespace OllamaMax.GpuWorker.Enrolment;

/// <summary>
/// The worker's own key pair, made on the box and never leaving it, and the id that it got at enrolment. Both survive restarts:
/// a worker returns under the same identity.
/// </summary>
internal sealed class WorkerIdentity : IDisposable
{
    private readonly string _idFile;

    private WorkerIdentity(ECDsa key, string idFile)
    {
        Key = key;
        _idFile = idFile;
        Id = File.Exists(idFile) ? File.ReadAllText(idFile).Trim() : null;
    }

    public ECDsa Key { get; }

    /// <summary>Null before the enrolment.</summary>
    public string? Id { get; private set; }

    /// <summary>SubjectPublicKeyInfo in base64.</summary>
    public string PublicKey => Convert.ToBase64String(Key.ExportSubjectPublicKeyInfo());

    public static WorkerIdentity Open(string folder)
    {
        Directory.CreateDirectory(folder);
        string keyFile = Path.Combine(folder, "worker.key");
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(keyFile))
            key.ImportFromPem(File.ReadAllText(keyFile));
        else
            WritePrivate(keyFile, key.ExportPkcs8PrivateKeyPem());
        return new WorkerIdentity(key, Path.Combine(folder, "worker.id"));
    }

    public void Enrolled(string id)
    {
        WritePrivate(_idFile, id);
        Id = id;
    }

    public void Dispose() => Key.Dispose();

    private static void WritePrivate(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }
}
