using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace OllamaMax.Cli;

/// <summary>A column of a list: its title, and what stands there of an item.</summary>
internal sealed record Column(string Title, Func<JsonElement, string> Text, bool IsNumber = false);

/// <summary>
/// Where results go, and what is beside them: results to standard output, as a table or with <c>--json</c> as the API's own answer; progress and errors to the other one, so that a pipe gets the result alone.
/// NO_COLOR and outputs that are no terminal get no colours.
/// </summary>
internal sealed class Screen
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        // For people and pipes, not for a page: letters of all languages, and < and & of templates, stand as they are.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A pipe has no width: rows are not broken in it.</summary>
    private const int NoWidth = 10_000;

    public Screen(TextReader input, TextWriter output, TextWriter error, bool isJson)
    {
        Input = input;
        Output = output;
        Error = error;
        IsJson = isJson;
        Result = For(output, Console.IsOutputRedirected || output != Console.Out);
        Side = For(error, Console.IsErrorRedirected || error != Console.Error);
    }

    public TextReader Input { get; }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    public bool IsJson { get; }

    public IAnsiConsole Result { get; }

    public IAnsiConsole Side { get; }

    /// <summary>Whether somebody sits there who can be asked.</summary>
    public required bool IsInteractive { get; init; }

    /// <summary>What Ctrl-C ends.</summary>
    public required Interrupts Interrupts { get; init; }

    /// <param name="answer">Printed whole with <c>--json</c>.</param>
    /// <param name="items">The rows otherwise.</param>
    /// <param name="columns">From left to right.</param>
    public void List(JsonElement answer, IEnumerable<JsonElement> items, params Column[] columns)
    {
        if (IsJson)
            PrintJson(answer);
        else
            Result.Write(Table(items, columns));
    }

    public void PrintJson(JsonElement value) => Output.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>A result in one line of plain text.</summary>
    public void Line(string text) => Output.WriteLine(text);

    /// <summary>Something to know beside the result.</summary>
    public void Note(string text) => Error.WriteLine(text);

    /// <summary>An error, and where there is more to say of it.</summary>
    public void Tell(EdgeException error)
    {
        Note($"error: {error.Message}");
        if (error.ExitCode == ExitCode.Unreachable)
            Note("`ollamamax doctor` looks for the reason");
    }

    /// <summary>A piece of what is said beside the result, such as thinking: dimmed where that can be seen.</summary>
    public void Aside(string piece)
    {
        bool canDim = Side.Profile.Capabilities is { Ansi: true, ColorSystem: not ColorSystem.NoColors };
        Error.Write(canDim ? $"\u001b[2m{piece}\u001b[22m" : piece);
        Error.Flush();
    }

    /// <summary>The next line that is typed; null at the end. Who leaves does not wait for it: a terminal's read cannot be ended.</summary>
    public Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
        Task.Run(Input.ReadLine, CancellationToken.None).WaitAsync(cancellationToken);

    public static Table Table(IEnumerable<JsonElement> items, params Column[] columns)
    {
        Table table = new() { Border = TableBorder.None };
        foreach (Column column in columns)
        {
            TableColumn shown = new(new Text(column.Title, new Style(decoration: Decoration.Bold))) { NoWrap = true, Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(column.IsNumber ? shown.RightAligned() : shown);
        }
        foreach (JsonElement item in items)
            table.AddRow(columns.Select(column => new Text(column.Text(item))));
        return table;
    }

    private static IAnsiConsole For(TextWriter writer, bool isPipe)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isPipe ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isPipe ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isPipe ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isPipe)
            console.Profile.Width = NoWidth;
        return console;
    }
}
