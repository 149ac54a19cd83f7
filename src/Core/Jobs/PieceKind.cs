namespace OllamaMax.Jobs;

/// <summary>
/// What stands in the place of a token's id with a piece that came without one: a server that is forwarded to tells no ids, and has taken reasoning and
/// calls apart already. Ids of tokens are never negative, so nothing that a model writes can pass for one of these. No engine can go on after such a piece.
/// </summary>
public static class PieceKind
{
    /// <summary>A part of the answer's text.</summary>
    public const int Text = -1;

    /// <summary>A part of the reasoning.</summary>
    public const int Thinking = -2;

    /// <summary>A whole call: <c>{"name":…,"arguments":{…}}</c>.</summary>
    public const int ToolCall = -3;

    public static bool IsToken(int id) => id >= 0;
}
