using System.Diagnostics;
using System.Text.Json;

namespace OllamaMax.Edge.Tests.Templates;

/// <summary>The same library in its own home: what Node renders is what the edge must render.</summary>
internal static class NodeJinja
{
    private const string Program = """
        const { Template } = require(process.argv[1]);
        const { template, input } = JSON.parse(require("fs").readFileSync(0, "utf8"));
        process.stdout.write(new Template(template).render(JSON.parse(input)));
        """;

    public static async Task<string> RenderAsync(string template, string input, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("node", ["-e", Program, Library()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process node = Process.Start(start)!;
        Task<string> output = node.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> errors = node.StandardError.ReadToEndAsync(cancellationToken);
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new { template, input }).AsMemory(), cancellationToken);
        node.StandardInput.Close();
        await node.WaitForExitAsync(cancellationToken);
        node.ExitCode.ShouldBe(0, await errors);
        return await output;
    }

    private static string Library()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string path = Path.Combine(at.FullName, "node_modules", "@huggingface", "jinja", "dist", "index.cjs");
            if (File.Exists(path))
                return path;
        }
        throw new FileNotFoundException("Run 'npm ci' at the top of the repository first.");
    }
}
