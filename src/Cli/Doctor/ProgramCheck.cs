using System.ComponentModel;
using System.Diagnostics;

namespace OllamaMax.Cli.Doctor;

/// <summary>Programs of this machine that something of OllamaMax needs.</summary>
internal static class ProgramCheck
{
    private const int SdkMajor = 10;
    private const int NodeMajor = 20;

    /// <summary>The SDK, Node.js and the GPU's driver.</summary>
    public static async IAsyncEnumerable<Finding> FindAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? sdks = await OutputAsync("dotnet", ["--list-sdks"], cancellationToken);
        yield return sdks?.Split('\n').Select(Major).Max() is >= SdkMajor
            ? Finding.Ok(".NET SDK", sdks.Trim().Split('\n')[^1].Split(' ')[0])
            : new(".NET SDK", Verdict.Missing, sdks is null ? "there is no dotnet in PATH" : $"none of version {SdkMajor}",
                $"install the .NET {SdkMajor} SDK from https://dotnet.microsoft.com/download; a published worker and this tool do without");

        string? node = await OutputAsync("node", ["--version"], cancellationToken);
        yield return node is not null && Major(node.TrimStart('v')) >= NodeMajor
            ? Finding.Ok("Node.js", node.Trim())
            : new("Node.js", Verdict.Missing, node is null ? "there is no node in PATH" : $"{node.Trim()} is older than {NodeMajor}",
                $"install Node.js {NodeMajor} or newer from https://nodejs.org: the local host runs Azurite with it, and npm brings llama.cpp's libraries");

        string? gpus = await OutputAsync("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], cancellationToken);
        yield return gpus is { Length: > 0 }
            ? Finding.Ok("GPU", string.Join("; ", gpus.Trim().Split('\n').Select(line => line.Trim())))
            : new("GPU", Verdict.Note, Directory.Exists("/dev/dri") ? "no NVIDIA driver; another card is there (/dev/dri), for Vulkan" : "no NVIDIA driver answers (nvidia-smi)",
                "without a driver models run on the CPU; on a box with a card install its vendor's driver");
    }

    /// <summary>The number before the first dot; 0 for anything else.</summary>
    private static int Major(string version) => int.TryParse(version.Split('.')[0], out int major) ? major : 0;

    /// <returns>Standard output; null where there is no such program or it fails.</returns>
    private static async Task<string?> OutputAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            // Not there, or not to be run by this user: to whoever asks the same.
            return null;
        }
    }
}
