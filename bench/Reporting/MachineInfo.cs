using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Bench.Reporting;

/// <summary>What a bench ran on: figures mean little without it.</summary>
/// <param name="Cores">That this process may use.</param>
/// <param name="Cpu">As the system names it.</param>
/// <param name="Os">System and its version.</param>
/// <param name="Versions">Of what took part, by name.</param>
internal sealed record MachineInfo(int Cores, string Cpu, string Os, IReadOnlyDictionary<string, string> Versions)
{
    private const string LoadFile = "/proc/loadavg";
    private const string CpuFile = "/proc/cpuinfo";

    public static async Task<MachineInfo> ReadAsync(CancellationToken cancellationToken)
    {
        string root = RepositoryRoot.Find();
        Dictionary<string, string> versions = new()
        {
            ["commit"] = await CommitAsync(root, cancellationToken),
            [".NET"] = Environment.Version.ToString(),
            ["Node.js"] = await NodeVersionAsync(cancellationToken),
            ["Azurite"] = NpmVersion(root, "azurite"),
            ["llama.cpp libraries"] = NpmVersion(root, $"@node-llama-cpp/linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}"),
            ["GPU"] = string.Join(", ", Gpus()),
        };
        // In the full package set it runs the models, with libraries of its own; those above are the peer's then.
        if (Type.GetType("LLama.Native.NativeApi, LLamaSharp") is { } api)
            versions["LLamaSharp"] = $"{api.Assembly.GetName().Version}";
        return new(Environment.ProcessorCount, CpuName(), $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture})", versions);
    }

    /// <summary>The system's load averages; empty where it has none.</summary>
    public static string Load() => File.Exists(LoadFile) ? string.Join(' ', File.ReadAllText(LoadFile).Split(' ')[..3]) : "";

    /// <summary>What is installed under a folder's node_modules.</summary>
    public static string NpmVersion(string folder, string package)
    {
        string file = Path.Combine(folder, "node_modules", package, "package.json");
        if (!File.Exists(file))
            return "none";
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
        return $"{package} {document.RootElement.GetProperty("version").GetString()}";
    }

    private static IEnumerable<string> Gpus() => InferenceDevices.List(NativeKind.Default, NullLoggerFactory.Instance)
        .Where(device => device.Kind != DeviceKind.Cpu)
        .Select(device => string.Create(CultureInfo.InvariantCulture, $"{device.Description} with {device.TotalBytes >> 20} MiB ({device.Backend})"))
        .DefaultIfEmpty("none");

    private static async Task<string> NodeVersionAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await NodeRuntime.FindAsync(cancellationToken)).Version.ToString();
        }
        catch (PrerequisiteException)
        {
            return "none";
        }
    }

    private static string CpuName() => !File.Exists(CpuFile) ? "unknown" : File.ReadLines(CpuFile)
        .Where(line => line.StartsWith("model name", StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault("unknown");

    private static async Task<string> CommitAsync(string root, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("git", ["describe", "--always", "--dirty"])
        {
            WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using Process git = Process.Start(start)!;
            Task<string> errors = git.StandardError.ReadToEndAsync(cancellationToken);
            string commit = await git.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await git.WaitForExitAsync(cancellationToken);
            return git.ExitCode == 0 ? commit.Trim() : "unknown";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // A downloaded source without git is measured all the same.
            return "unknown";
        }
    }
}
