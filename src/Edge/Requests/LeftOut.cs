namespace OllamaMax.Edge.Requests;

/// <summary>
/// What stands for that in a tool's result which the model cannot be shown. The agent that sends it cannot know better, and would send it again with all that follows: refused, it could not go on.
/// </summary>
internal static class LeftOut
{
    public const string Image = "[An image was left out: this model reads text.]";
    public const string UnreadableImage = "[An image was left out: it cannot be read.]";
    public const string File = "[A file was left out: this model reads text.]";
    public const string Audio = "[Audio was left out: this model reads text.]";
}
