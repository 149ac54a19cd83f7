using System.Diagnostics;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>The tool, called as a script does: its outputs are no terminals.</summary>
internal static class Tool
{
    public static Task<(int Code, string Output, string Errors)> RunAsync(this LocalSystemFixture local, params string[] arguments) =>
        RunAsync("", [.. arguments, "--edge", local.System.BaseAddress.ToString()]);

    public static async Task<(int Code, string Output, string Errors)> RunAsync(string input, params string[] arguments)
    {
        using StringReader reader = new(input);
        using StringWriter output = new();
        using StringWriter errors = new();
        using Interrupts interrupts = new();
        int code = await RootCommands.Create(reader, output, errors, interrupts, isInteractive: false).Parse(arguments)
            .InvokeAsync(new() { Output = output, Error = errors }, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }

    /// <summary>The tool as a program.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "ollamamax");

    /// <summary>Runs a program, this tool or one that calls it.</summary>
    /// <param name="program">Its file, or its name in PATH.</param>
    /// <param name="environment">What its environment has beyond the test's own.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<(int Code, string Output)> StartAsync(string program, IEnumerable<(string Name, string Value)> environment, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true };
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(new FileInfo(Find("dotnet")).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Find("dotnet"));
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }

    /// <summary>Where a program is that PATH has.</summary>
    public static string Find(string program) => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).First(File.Exists);
}
