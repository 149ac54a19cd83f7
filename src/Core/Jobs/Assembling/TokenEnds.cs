namespace OllamaMax.Jobs.Assembling;

/// <summary>Where the tokens that are not decided yet end in the text, stop strings included.</summary>
internal sealed class TokenEnds
{
    private readonly Queue<long> _open = new();
    private long _length;

    /// <summary>Tokens whose whole text was passed on.</summary>
    public int Decided { get; private set; }

    /// <param name="characters">What became whole with the token.</param>
    /// <param name="isInside">It ends inside a character, and is decided when that is.</param>
    public void Add(int characters, bool isInside)
    {
        _length += characters;
        _open.Enqueue(isInside ? _length + 1 : _length);
    }

    /// <param name="passed">Characters of the text that are decided and belong to the answer.</param>
    public void Decide(long passed)
    {
        while (_open.TryPeek(out long end) && end <= passed)
        {
            _open.Dequeue();
            Decided++;
        }
    }
}
