using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Separates what stands between two tags from what follows, by Ollama's rules for reasoning: only at the very begin of the answer; a tag further back is
/// text. White space around the tags belongs to neither part, but for that before the closing one.
/// </summary>
/// <param name="open">The opening tag.</param>
/// <param name="close">The closing one.</param>
/// <param name="isOpen">The text begins behind the opening tag.</param>
/// <param name="inside">Takes what is between them; not told of the end.</param>
/// <param name="next">Takes the rest.</param>
/// <param name="isBegun">The text goes on with one between the tags: its white space is that text's.</param>
internal sealed class TagSplitter(string open, string close, bool isOpen, ITextStage inside, ITextStage next, bool isBegun = false) : ITextStage
{
    /// <summary>White space, and what may become the opening tag.</summary>
    private readonly StringBuilder _held = new();

    private Place _place = isBegun ? Place.Inside : isOpen ? Place.SpaceInside : Place.Before;
    private int _matched;

    private enum Place
    {
        Before,
        SpaceInside,
        Inside,
        SpaceBehind,
        Behind,
    }

    /// <summary>The opening tag has come, and the closing one has not.</summary>
    public bool IsInside => _place is Place.SpaceInside or Place.Inside;

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (_place == Place.Behind)
            {
                next.Append(text[i..], parts);
                return;
            }
            Step(text[i], parts);
        }
    }

    public void Complete(AnswerParts parts)
    {
        if (_place == Place.Before)
            GiveUp(parts);
        else if (_place == Place.Inside)
            inside.Append(close.AsSpan(0, _matched), parts);
        next.Complete(parts);
    }

    private void Step(char c, AnswerParts parts)
    {
        switch (_place)
        {
            case Place.Before:
                StepBefore(c, parts);
                break;
            case Place.SpaceInside when !char.IsWhiteSpace(c):
                _place = Place.Inside;
                StepInside(c, parts);
                break;
            case Place.Inside:
                StepInside(c, parts);
                break;
            case Place.SpaceBehind when !char.IsWhiteSpace(c):
                _place = Place.Behind;
                next.Append([c], parts);
                break;
        }
    }

    private void StepBefore(char c, AnswerParts parts)
    {
        _held.Append(c);
        if (_matched == 0 && char.IsWhiteSpace(c))
            return;
        if (c != open[_matched])
            GiveUp(parts);
        else if (++_matched == open.Length)
            Enter(Place.SpaceInside);
    }

    private void StepInside(char c, AnswerParts parts)
    {
        // What is held is the begin of the closing tag, as far as it is matched.
        int matched = TextMatch.Advance(close, _matched, c);
        int decided = _matched + 1 - matched;
        inside.Append(close.AsSpan(0, Math.Min(decided, _matched)), parts);
        if (decided > _matched)
            inside.Append([c], parts);
        _matched = matched;
        if (_matched == close.Length)
            Enter(Place.SpaceBehind);
    }

    private void Enter(Place place)
    {
        _place = place;
        _matched = 0;
        _held.Clear();
    }

    /// <summary>It did not begin with the tag: then all of it is the rest, its white space too.</summary>
    private void GiveUp(AnswerParts parts)
    {
        next.Append(_held.ToString(), parts);
        Enter(Place.Behind);
    }
}
