using System.Diagnostics;
using System.Runtime.CompilerServices;
using OllamaMax.Inference.Packages;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>The TypeScript client library, built once for all tests, and Node processes that use it.</summary>
public sealed class ClientLibrary : IAsyncLifetime
{
    // Inside the checkout, where Node finds the library's packages.
    private readonly string _folder = Path.Combine(RepositoryRoot.Find(), "clients", "typescript", "obj", Guid.NewGuid().ToString("n"));

    public async ValueTask InitializeAsync()
    {
        string root = RepositoryRoot.Find();
        await NodePackages.EnsureInstalledAsync(root, line => TestContext.Current.SendDiagnosticMessage("{0}", line), TestContext.Current.CancellationToken);
        string compiler = Path.Combine(root, "node_modules", "typescript", "bin", "tsc");
        using Process process = Start([compiler, "-p", Path.Combine(root, "clients", "typescript"), "--outDir", _folder]);
        process.StandardInput.Close();
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, output);
    }

    /// <summary>A script beside this file, with the library's folder as its first argument.</summary>
    public Process Run(string script, params string[] arguments) => Start([Path.Combine(Here(), script), _folder, .. arguments]);

    public ValueTask DisposeAsync()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static Process Start(string[] arguments) =>
        Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })
        ?? throw new InvalidOperationException("Node did not start.");

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
