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
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

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
    public bool IsInteractive => Input == Console.In && !Console.IsInputRedirected;

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
