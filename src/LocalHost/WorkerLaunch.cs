using System.Globalization;
using System.Runtime.InteropServices;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Edge.Webhooks;
using OllamaMax.GpuWorker;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost;

/// <summary>How a worker is started, here and on another box.</summary>
internal static class WorkerLaunch
{
    private static readonly string[] SecretSections = [ContentKeyOptions.Section, KeyOptions.Section, $"{PullOptions.Section}:{nameof(PullOptions.Sources)}", WebhookOptions.Section];

    /// <summary>A worker as a child of ours. The token travels in the environment: command lines are everyone's to read.</summary>
    public static ChildCommand For(string name, Uri edge, string folder, string replicas, string joinToken, LocalHostOptions options) =>
        new(DotnetHost, [
            Path.Combine(AppContext.BaseDirectory, "OllamaMax.GpuWorker.dll"), "run",
            "--edge", Address(edge), "--data", folder, "--replicas", replicas, "--name", name,
            "--drain-seconds", "0.5", "--stdin-lifeline", .. options.Exact ? (string[])["--exact"] : [],
            .. options.Context is { } context ? (string[])["--context", context.ToString(CultureInfo.InvariantCulture)] : [],
            .. options.DiskBudget is { } budget ? (string[])["--disk-budget", budget] : [], .. options.Forward.SelectMany(server => (string[])["--forward", server]),
        ])
        {
            Environment = new Dictionary<string, string?>(WithoutSecrets(Environment.GetEnvironmentVariables().Keys.Cast<string>())) { [WorkerOptions.JoinTokenVariable] = joinToken },
        };

    /// <summary>No secret of the edge reaches a worker, not even by inheritance: account keys, content keys, the admin's, what registries are shown, what webhooks are signed with.</summary>
    /// <param name="inherited">Variables of our own environment.</param>
    internal static IEnumerable<KeyValuePair<string, string?>> WithoutSecrets(IEnumerable<string> inherited) =>
        inherited
            .Where(name => Array.Exists(SecretSections, section => name.Replace("__", ":", StringComparison.Ordinal).StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase))
                || name.Equals(PullOptions.HuggingFaceSetting, StringComparison.OrdinalIgnoreCase))
            .Concat([LocalStorage.Setting, LocalSignalR.Setting])
            .Select(name => KeyValuePair.Create(name, (string?)null));

    /// <summary>
    /// What to type on another box. Everything here listens on the loopback alone, so an SSH tunnel carries the same ports
    /// over there, where the addresses that the edge gives out then mean the same.
    /// </summary>
    /// <param name="edge">The edge.</param>
    /// <param name="ports">The loopback ports that a worker needs beside the edge's: storage, SignalR.</param>
    /// <param name="joinToken">Good for one worker, once.</param>
    public static string ForAnotherBox(Uri edge, IEnumerable<int> ports, string joinToken)
    {
        string forwards = string.Join(" ", ports.Prepend(edge.Port).Distinct().Select(port => $"-L {port}:127.0.0.1:{port}"));
        return $"ssh -fN {forwards} {Environment.UserName}@{Environment.MachineName} && " +
            $"{WorkerOptions.JoinTokenVariable}={joinToken} dotnet run --project src/GpuWorker -- run --edge {Address(edge)}";
    }

    /// <summary>The program that runs us: <c>dotnet</c> need not be on the PATH.</summary>
    internal static string DotnetHost
    {
        get
        {
            string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            string beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
            return File.Exists(beside) ? beside : name;
        }
    }

    private static string Address(Uri edge) => edge.GetLeftPart(UriPartial.Authority);
}
