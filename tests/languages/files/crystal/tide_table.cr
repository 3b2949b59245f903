# Tides of one harbour.
class TideTable
  getter harbour : String

  def initialize(@harbour, @moments : Array(Time))
  end

  # When the next high water is.
  def next_high_water(now : Time) : Time?
    @moments.find { |moment| moment > now }
  end

  def self.load(path : String) : TideTable
    new(File.basename(path), parse(File.read(path)))
  end
end
