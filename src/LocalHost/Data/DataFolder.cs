using OllamaMax.Inference.Packages;

namespace OllamaMax.LocalHost.Data;

/// <summary>The folder with everything that outlives a local host: stored blobs, secrets, the workers' copies. One process at a time uses it.</summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly InterProcessLock _lock;

    private DataFolder(string path, InterProcessLock @lock)
    {
        Path = path;
        _lock = @lock;
        Secrets = new(Folder("secrets"));
        Ports = new(Folder("ports"));
    }

    public static string Default =>
        System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ollamamax");

    /// <summary>Full path.</summary>
    public string Path { get; }

    public SecretStore Secrets { get; }

    public KeptPorts Ports { get; }

    /// <summary>Creates it when it is not there.</summary>
    /// <exception cref="StartException">It cannot be written, or another local host uses it.</exception>
    public static DataFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            Create(path);
            KeepOutOfGit(path);
            InterProcessLock held = InterProcessLock.TryAcquire(System.IO.Path.Combine(path, "lock"))
                ?? throw new StartException($"another local host{Holder(path)} uses {path}; stop it or give another --data");
            File.WriteAllText(PidFile(path), $"{Environment.ProcessId}\n");
            return new(path, held);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the data folder {path} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>A folder inside, created when it is not there. Full path.</summary>
    public string Folder(string name)
    {
        string folder = System.IO.Path.Combine(Path, name);
        Create(folder);
        return folder;
    }

    public void Dispose()
    {
        File.Delete(PidFile(Path));
        _lock.Dispose();
    }

    private static void Create(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    /// <summary>Beside the lock, which nobody can read while it is held on Windows.</summary>
    private static string PidFile(string path) => System.IO.Path.Combine(path, "pid");

    private static string Holder(string path) =>
        File.Exists(PidFile(path)) ? $" (pid {File.ReadAllText(PidFile(path)).Trim()})" : "";

    /// <summary>Secrets and models inside a checkout must not be committed by chance.</summary>
    private static void KeepOutOfGit(string path)
    {
        string ignore = System.IO.Path.Combine(path, ".gitignore");
        for (DirectoryInfo? at = new(path); at is not null; at = at.Parent)
        {
            if (System.IO.Path.Exists(System.IO.Path.Combine(at.FullName, ".git")) && !File.Exists(ignore))
                File.WriteAllText(ignore, "*\n");
        }
    }
}
