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
        int code = await RootCommands.Create(reader, output, errors).Parse(arguments)
            .InvokeAsync(new() { Output = output, Error = errors }, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }
}
