using System.Diagnostics;
using System.Security.Cryptography;

namespace OllamaMax.Inference.Packages;

/// <summary>
/// The npm packages of the checkout: Azurite, llama.cpp's libraries, the Jinja engine. Installed as package-lock.json
/// says, once, whoever asks first; any number of processes may ask at the same time.
/// </summary>
public static class NodePackages
{
    /// <summary>Installs what is missing; takes a few milliseconds when nothing is.</summary>
    /// <param name="repositoryRoot">Folder with package-lock.json; see <see cref="RepositoryRoot.Find"/>.</param>
    /// <param name="report">Takes lines for a person who waits. Called on any thread.</param>
    /// <param name="cancellationToken">Ends the installation; the next call begins it anew.</param>
    /// <param name="withOptional">Whether the optional packages that this machine can use are needed too.</param>
    /// <exception cref="PrerequisiteException">Node.js or npm is missing or too old, or npm failed.</exception>
    public static async Task EnsureInstalledAsync(
        string repositoryRoot, Action<string> report, CancellationToken cancellationToken, bool withOptional = true)
    {
        Stamp stamp = Stamp.Of(repositoryRoot);
        if (stamp.IsCurrent)
            return;
        using InterProcessLock held = await LockAsync(repositoryRoot, report, cancellationToken);
        if (stamp.IsCurrent)
            return;
        PackageLock wished = PackageLock.Read(Path.Combine(repositoryRoot, "package-lock.json"));
        if (!withOptional)
            wished = wished.WithoutOptional();
        if (MissingPackage(repositoryRoot, wished) is not null)
            await InstallAsync(repositoryRoot, wished, withOptional, report, cancellationToken);
        stamp.Write();
    }

    private static async Task<InterProcessLock> LockAsync(string root, Action<string> report, CancellationToken cancellationToken)
    {
        try
        {
            return await InterProcessLock.AcquireAsync(
                LockFile(root), () => report("waiting for another process that installs npm packages"), TimeProvider.System, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PrerequisiteException($"npm packages cannot be installed in {root}: {e.Message}");
        }
    }

    private static async Task InstallAsync(
        string root, PackageLock wished, bool withOptional, Action<string> report, CancellationToken cancellationToken)
    {
        await NodeRuntime.FindAsync(cancellationToken);
        report($"installing {wished.Packages.Count - 1} npm packages (once)");
        NpmProgress progress = new(wished.Packages.Count - 1, report);
        long start = Stopwatch.GetTimestamp();
        // Without the optional packages the lock file need not list all of them, which `ci` would insist on; `install` keeps to its versions too.
        string[] command = withOptional ? ["ci"] : ["install", "--no-save", "--omit=optional"];
        int exitCode = await RunNpmAsync(root, command, progress, cancellationToken);
        if (exitCode != 0)
            throw new PrerequisiteException($"'npm {command[0]}' in {root} failed with exit code {exitCode}: {progress.Errors}");
        if (MissingPackage(root, wished) is { } missing)
            throw new PrerequisiteException($"npm left out {missing}, which this machine needs; is the registry reachable? Try 'npm {string.Join(' ', command)}' in {root}.");
        report($"npm packages installed in {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
    }

    private static async Task<int> RunNpmAsync(string root, string[] command, NpmProgress progress, CancellationToken cancellationToken)
    {
        string npm = Programs.Find("npm")
            ?? throw new PrerequisiteException("npm is missing (no 'npm' on the PATH); it comes with Node.js from https://nodejs.org.");
        ProcessStartInfo start = new(npm, [.. command, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"])
        {
            WorkingDirectory = root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            await Task.WhenAll(ForwardAsync(process.StandardOutput), ForwardAsync(process.StandardError));
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return process.ExitCode;

        async Task ForwardAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
                progress.Line(line);
        }
    }

    private static string? MissingPackage(string root, PackageLock wished)
    {
        string installed = Path.Combine(root, "node_modules", ".package-lock.json");
        return File.Exists(installed) ? wished.FirstMissingIn(PackageLock.Read(installed)) : "node_modules";
    }

    /// <summary>Outside node_modules, which npm empties: two processes would lock two files of one name.</summary>
    private static string LockFile(string root) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(root, ".data")).FullName, "npm.lock");

    /// <summary>Says which lock file, on which kind of machine, node_modules was last found complete for. Written last.</summary>
    private sealed record Stamp(string File, string Content)
    {
        public static Stamp Of(string root)
        {
            byte[] hash = SHA256.HashData(System.IO.File.ReadAllBytes(Path.Combine(root, "package-lock.json")));
            return new(Path.Combine(root, "node_modules", ".ollamamax-stamp"), $"{Convert.ToHexStringLower(hash)} {PackageLock.Machine}");
        }

        public bool IsCurrent => System.IO.File.Exists(File) && System.IO.File.ReadAllText(File) == Content;

        public void Write()
        {
            string whole = File + ".new";
            System.IO.File.WriteAllText(whole, Content);
            System.IO.File.Move(whole, File, overwrite: true);
        }
    }
}
