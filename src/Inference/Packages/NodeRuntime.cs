using System.Diagnostics;

namespace OllamaMax.Inference.Packages;

/// <summary>Node.js as found on this machine.</summary>
/// <param name="Path">The program's full path.</param>
/// <param name="Version">What <c>node --version</c> says.</param>
public sealed record NodeRuntime(string Path, Version Version)
{
    private const int OldestMajor = 20;
    private const string HowToGet = "install Node.js 20 or newer from https://nodejs.org";

    /// <exception cref="PrerequisiteException">There is no Node.js on the PATH, it does not start, or it is older than 20.</exception>
    public static async Task<NodeRuntime> FindAsync(CancellationToken cancellationToken)
    {
        string path = Programs.Find("node")
            ?? throw new PrerequisiteException($"Node.js is missing (no 'node' on the PATH); {HowToGet}.");
        string said = await AskVersionAsync(path, cancellationToken);
        if (!Version.TryParse(said.TrimStart('v'), out Version? version))
            throw new PrerequisiteException($"'{path} --version' answered '{said}', which is no version; {HowToGet}.");
        return version.Major >= OldestMajor
            ? new NodeRuntime(path, version)
            : throw new PrerequisiteException($"Node.js {version} at {path} is too old; {HowToGet}.");
    }

    private static async Task<string> AskVersionAsync(string path, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await process.WaitForExitAsync(cancellationToken);
            return output.Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new PrerequisiteException($"{path} does not start ({e.Message}); {HowToGet}.", e);
        }
    }
}
